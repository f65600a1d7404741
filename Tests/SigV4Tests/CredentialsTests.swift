import SigV4
import Testing

@Suite struct CredentialsTests {
  private let credentials = Credentials(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: "topsecret", sessionToken: "tokensecret")

  @Test func noDescriptionShowsASecret() {
    var dumped = ""
    dump(credentials, to: &dumped)
    dump([credentials as Credentials?], to: &dumped)
    for text in [
      "\(credentials)", String(reflecting: credentials), String(describing: [credentials]),
      "\(Optional(credentials) as Any)", "\(["k": credentials])", dumped,
    ] {
      #expect(text.contains("AK…LE"))
      #expect(!text.contains("topsecret"))
      #expect(!text.contains("tokensecret"))
      #expect(!text.contains("AKIDEXAMPLE"))
    }
  }

  @Test func shortKeysAreMaskedWhole() {
    #expect(
      Credentials(accessKeyID: "short", secretAccessKey: "").maskedAccessKeyID == "…")
  }
}
