import JSONRPC
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws(JSONError) -> JSON {
        try JSON.parse(Array(text.utf8))
    }

    private func reason(_ bytes: [UInt8]) -> JSONError.Reason? {
        do throws(JSONError) {
            _ = try JSON.parse(bytes)
            return nil
        } catch { return error.reason }
    }

    private func reason(_ text: String) -> JSONError.Reason? { reason(Array(text.utf8)) }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-12.5e+30", "1E3", "12345678901234567890.123",
        #""""#, #""aé€𝄞""#, "[]", "{}", "[1,[2,{}],\"x\"]", #"{"a":1,"b":{"c":[null]}}"#,
    ])
    func `what is written canonically comes back byte for byte`(text: String) throws {
        #expect(try parse(text).text == text)
    }

    @Test func `whitespace is passed everywhere it may stand`() throws {
        let value = try parse(" \t\r\n{ \"a\" :\n[ 1 , 2 ] , \"b\" : { } } \r\n")
        #expect(value == ["a": [1, 2], "b": [:]])
    }

    @Test func `escapes become the characters they stand for`() throws {
        let value = try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD834\uDD1E""#)
        #expect(value == .string("\"\\/\u{8}\u{C}\n\r\tAé𝄞"))
    }

    @Test func `control characters are written as escapes`() {
        #expect(JSON.string("a\"\\\n\r\t\u{1}\u{1F}é").text == #""a\"\\\n\r\t\u0001\u001fé""#)
    }

    @Test(arguments: [
        ("", JSONError.Reason.unexpectedEnd), ("  ", .unexpectedEnd), ("[1", .unexpectedEnd),
        ("{\"a\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("tru", .unexpectedEnd),
        ("[1,]", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte), ("{a:1}", .unexpectedByte),
        ("[1 2]", .unexpectedByte), ("nul!", .unexpectedByte), ("'a'", .unexpectedByte),
        ("NaN", .unexpectedByte), ("+1", .unexpectedByte), ("\u{FEFF}1", .unexpectedByte),
        ("[1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte), ("/**/1", .unexpectedByte),
        ("1 2", .trailingBytes), ("01", .trailingBytes), ("{}{}", .trailingBytes),
        ("-", .badNumber), ("1.", .badNumber), ("1e", .badNumber), (".5", .unexpectedByte),
        ("\"\u{1}\"", .controlCharacter), ("\"\n\"", .controlCharacter),
        (#""\x""#, .badEscape), (#""\u12g4""#, .badEscape),
        (#""\uD800""#, .loneSurrogate), (#""\uDC00""#, .loneSurrogate),
        (#""\uD800\u0041""#, .loneSurrogate), (#""\uD800x""#, .loneSurrogate),
        (#"{"a":1,"a":2}"#, .duplicateName), (#"{"name":1,"n\u0061me":2}"#, .duplicateName),
        (#"[{"x":{"b":1,"b":1}}]"#, .duplicateName),
    ])
    func `what breaks the grammar is refused for its reason`(
        text: String, expected: JSONError.Reason
    ) {
        #expect(reason(text) == expected)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xF0, 0x9D, 0x84],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused in a string`(bytes: [UInt8]) {
        #expect(reason([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]) == .badUTF8)
    }

    @Test func `every byte of a string is looked at, wherever it stands`() throws {
        for length in 0...33 {
            let plain = String(repeating: "~", count: length)
            #expect(try parse("\"\(plain)\"") == .string(plain))
            for offset in 0..<length {
                func with(_ bytes: [UInt8]) -> [UInt8] {
                    var text = Array("\"\(plain)\"".utf8)
                    text.replaceSubrange(offset + 1..<offset + 2, with: bytes)
                    return text
                }
                for control in [UInt8](0..<0x20) {
                    #expect(reason(with([control])) == .controlCharacter)
                }
                #expect(reason(with([0x80])) == .badUTF8)
                #expect(reason(with([0xFF])) == .badUTF8)
                #expect(reason(with([0x22])) == .trailingBytes)
                #expect(reason(with(Array("\\x".utf8))) == .badEscape)
                #expect(reason(with(Array("é\\n\u{7F} ".utf8))) == nil)
            }
        }
    }

    @Test func `a value is nested as deep as the limit and no deeper`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(reason(nested(Limit.depth)) == nil)
        #expect(reason(nested(Limit.depth + 1)) == .tooDeep)
        #expect(reason(String(repeating: "{\"a\":", count: 1_000_000)) == .tooDeep)
    }

    @Test func `a repeated name among very many is found`() {
        let members = (0..<1_000).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        #expect(reason("{\(members)}") == nil)
        #expect(reason("{\(members),\"n3\":0}") == .duplicateName)
        #expect(reason("{\(members),\"n999\":0}") == .duplicateName)
    }

    @Test func `names that differ only in how a letter is composed are two names`() throws {
        let value = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test func `an error says where`() {
        do throws(JSONError) {
            _ = try parse("[1,x]")
            Issue.record("nothing was thrown")
        } catch {
            #expect(error == JSONError(.unexpectedByte, at: 3))
            #expect(error.description == "cannot read JSON: unexpected character at byte 3")
        }
    }

    @Test func `members keep their order and can be changed`() {
        var value: JSON = ["b": 1, "a": "x"]
        value["c"] = true
        value["b"] = nil
        value["a"] = [nil, 2]
        #expect(value.text == #"{"a":[null,2],"c":true}"#)
        #expect(value["missing"] == nil)
        #expect(JSON.null["a"] == nil)
    }

    @Test func `objects are equal whatever the order of their members`() {
        #expect(["a": 1, "b": 2] as JSON == ["b": 2, "a": 1])
        #expect(["a": 1, "b": 2] as JSON != ["a": 1, "b": 3])
        #expect(["a": 1] as JSON != ["a": 1, "b": nil])
    }

    @Test func `accessors answer only for their own kind`() throws {
        let value = try parse(#"{"s":"x","i":7,"f":1.5,"b":false,"a":[],"n":null}"#)
        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.intValue == 7)
        #expect(value["f"]?.intValue == nil)
        #expect(value["b"]?.boolValue == false)
        #expect(value["a"]?.arrayValue == [])
        #expect(value["n"] == JSON.null)
        #expect(value.objectValue?.count == 6)
        #expect(value["s"]?.intValue == nil)
    }

    @Test func `a part of a longer text is read alone`() throws {
        let bytes = Array(#"xx{"a":1}yy"#.utf8)
        #expect(try JSON.parse(bytes, in: 2..<9) == ["a": 1])
        #expect(throws: JSONError(.unexpectedEnd, at: 8)) { try JSON.parse(bytes, in: 2..<8) }
    }
}
