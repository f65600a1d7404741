std = "lua54"
read_globals = { "hpc" }
max_line_length = 100
