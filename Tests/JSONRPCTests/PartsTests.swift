import JSONRPC
import Testing

@Suite struct PartsTests {
    private func elements(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return Parts.elements(bytes, 0..<bytes.count).map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
    }

    private func member(_ name: String, _ text: String) -> String? {
        let bytes = Array(text.utf8)
        return Parts.member(name, bytes, 0..<bytes.count).map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
    }

    @Test func `parts are found where they lie`() {
        #expect(
            elements(#"[1.50 , {"a":[1,2]},"x,]" ,[ ]]"#) == [
                "1.50", #"{"a":[1,2]}"#, #""x,]""#, "[ ]",
            ])
        #expect(elements("[]").isEmpty)
        #expect(elements("[ ]").isEmpty)
        #expect(member("b", #"{"a":{"b":1},"b" : [2] ,"c":3}"#) == "[2]")
        #expect(member("b", #"{"b":1,"b":2}"#) == "1")
    }

    @Test(arguments: ["{}", "7", #""[1]""#, "null", "[1", "[1,", "[,", #"{"a"}"#])
    func `what has no parts gives none and ends`(text: String) {
        #expect(elements(text).allSatisfy { $0 == "1" })
        #expect(member("a", text) == nil)
    }
}
