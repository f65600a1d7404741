-- Prints the rows of a subcommand as they were asked for. Called with the function that makes CSV.
local csv_text = ...

-- `columns` are those of CSV, `shown` those of a table: nil for the rows' own.
return function(format, rows, columns, shown)
  if format == "json" then
    print(hpc.json.encode(hpc.json.array(rows)))
  elseif format == "csv" then
    io.write(csv_text(rows, columns))
  else
    hpc.show(rows, shown)
  end
  return 0
end
