import Testing

@testable import Console

struct HistoryFilterTests {
  private let filter = HistoryFilter(secrets: ["", "s3cr3t"])

  @Test(arguments: [
    "x = 1", "print(secret)", "if token == nil then end", "x = token", "f(password, y)",
    "hpc.jobs.list{name = 'token'}", "!cat token.txt", "token <= 5", "secrets()",
    "tokenise(x) == 2",
    "!grep secret notes", "", "=",
  ])
  func `ordinary forms are kept`(form: String) {
    #expect(filter.allows(Array(form.utf8)))
  }

  @Test(arguments: [
    " x = 1", "x = 's3cr3t'", "secret = 1", "my_secret_key='x'", "t.password = 'x'",
    "t['password'] = 'x'", "t[\"password\"]='x'", "{secret_access_key = 'x'}", "secret\t=\n'x'",
    "password\n= 'x'", "mysecret,other = 'Q',2", "other, token, x = 1, 'Q'",
    "local token <const> = 'x'", "print(secret) secret = 'x'", "secret == 1 or f{secret = 'x'}",
    "!API_TOKEN=x make", "!login --password x", "!login --db-password=x", "!x -api_key\tv",
    "!curl -H 'Authorization: Basic x'", "h = {Authorization = 'Bearer x'}", "PASSPHRASE = 'x'",
    "NIFCLOUD_SECRET_ACCESS_KEY='x'",
  ])
  func `forms that hold a secret are not`(form: String) {
    #expect(!filter.allows(Array(form.utf8)))
  }
}
