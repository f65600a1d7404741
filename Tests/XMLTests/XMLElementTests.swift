import Testing
import XML

@Suite struct XMLElementTests {
  @Test func aTreeIsRead() throws {
    let text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Code>NoSuchKey</Code>
        <Message>no &quot;such&quot; key</Message>
        <Key>  a b  </Key>
        <Item>1</Item><Item>2</Item>
      </Error>
      """
    let root = try XMLElement(parsing: Array(text.utf8))
    #expect(root.name == "Error")
    #expect(root.text == "")
    #expect(root["Code"]?.text == "NoSuchKey")
    #expect(root["Message"]?.text == "no \"such\" key")
    #expect(root["Key"]?.text == "  a b  ")
    #expect(root[all: "Item"].map(\.text) == ["1", "2"])
    #expect(root["Other"] == nil)
  }

  @Test func otherEncodingsAreRead() throws {
    let latin = Array("<?xml version='1.0' encoding='ISO-8859-1'?><a>".utf8) + [0xe9]
    #expect(try XMLElement(parsing: latin + Array("</a>".utf8)).text == "é")
  }

  @Test(arguments: ["", "a & b", "<&>]]>\"'", "日本語 😀", "a\r\nb\rc\td", "  "])
  func whatIsWrittenIsReadBack(text: String) throws {
    let element = XMLElement(
      "Delete", children: [XMLElement("Object", children: [XMLElement("Key", text: text)])])
    #expect(try XMLElement(parsing: Array(element.encoded.utf8)) == element)
  }

  @Test func aTreeHasTheLimitsOfTheReader() {
    #expect(throws: XMLError.tooDeep(limit: 1)) {
      try XMLElement(parsing: Array("<a><b/></a>".utf8), limits: XMLLimits(depth: 1))
    }
  }
}
