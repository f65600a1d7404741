import Testing

@testable import Console

struct HistoryFilterTests {
  private let filter = HistoryFilter(secrets: ["", "s3cr3t"])

  @Test(arguments: [
    "x = 1", "print(secret)", "if token == nil then end", "x = token", "f(password, y)",
    "hpc.jobs.list{name = 'token'}", "!cat token.txt", "token <= 5", "secrets()",
    "tokenise(x) == 2",
    "!grep secret notes", "", "=", "token:find('x')", "t['token']:lower()", "5 -u:len()",
    "!curl -u me http://127.0.0.1:80/a@b", "!curl http://127.0.0.1:8080/x",
    "!docker run -u 1000:1000 x",
    "!ls -p", "!mysql db", "print('see http://host/a:b@c')", "!login.sh", "os.execute('ls')",
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
    "!curl -u user:pw http://host", "!curl -uuser:pw http://host", "! curl --user 'user:p w' host",
    "!curl --user=user:pw host", "!curl --proxy-user u:p host", "!http -a user:pw host",
    "os.execute('curl -u user:pw host')", "io.popen(\"curl -u user:pw host\")",
    "!curl https://user:pw@host/x", "url = 'ftp://user:p%2fw@host'",
    "!git clone https://me:pw@host",
    "!sshpass -p pw ssh host", "!/usr/bin/sshpass -ppw ssh host", "!mysql -u me -ppw db",
    "!docker login -u me -p pw", "!openssl rsa -passin pass:pw", "!curl -H 'X-Api-Key: x' host",
    "!curl -d '{\"password\": \"x\"}' host", "body = '{\"token\":\"x\"}'",
    "key = [[-----BEGIN RSA PRIVATE KEY-----]]",
  ])
  func `forms that hold a secret are not`(form: String) {
    #expect(!filter.allows(Array(form.utf8)))
  }
}
