import JSONRPC
import Testing

@testable import corral

@Suite struct ToolArgumentsTests {
    private let schema: JSON = [
        "properties": [
            "text": ["type": "string"], "count": ["type": "integer"], "ratio": ["type": "number"],
            "deep": ["type": "boolean"], "list": ["type": "array"], "map": ["type": "object"],
            "maybe": ["anyOf": [["type": "integer"], ["type": "null"]]],
            "either": ["type": ["string", "null"]],
        ]
    ]

    @Test func `words are typed by the schema`() throws {
        let words = [
            "text=5", "count=3", "ratio=1.50", "deep=true", "list=[1]", "map={\"a\":1}",
            "maybe=null", "either=null", "other=7", "plain=x=y", "empty=",
        ]
        let arguments = try ToolArguments.typed(words, schema: schema, tool: "t")
        #expect(
            arguments.text
                == #"{"text":"5","count":3,"ratio":1.50,"deep":true,"list":[1],"map":{"a":1},"#
                + #""maybe":null,"either":"null","other":7,"plain":"x=y","empty":""}"#)
    }

    @Test(arguments: [
        ("count=x", "'count' must be integer, not 'x'"),
        ("count=1.5", "'count' must be integer, not '1.5'"),
        ("deep=yes", "'deep' must be boolean, not 'yes'"),
        ("maybe=true", "'maybe' must be integer or null, not 'true'"),
        ("novalue", "'novalue' is not of the form name=value"),
        ("=x", "'=x' is not of the form name=value"),
    ])
    func `words that do not fit are refused`(word: String, problem: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try ToolArguments.typed([word], schema: schema, tool: "t")
        }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.first == "corral: cannot call 't': \(problem)")
    }

    @Test func `a name given twice is refused`() {
        #expect(throws: CommandFailure.self) {
            try ToolArguments.typed(["a=1", "a=2"], schema: nil, tool: "t")
        }
    }

    @Test func `a JSON object is taken as it is`() throws {
        let text = #"{"a": 1.50, "b": [true]}"#
        let arguments = try ToolArguments.parse(Array(text.utf8), tool: "t")
        #expect(arguments.text == #"{"a":1.50,"b":[true]}"#)
    }

    @Test(arguments: ["", "{", "[1]", "5", #"{"a":1,"a":2}"#])
    func `what is no JSON object is refused`(text: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try ToolArguments.parse(Array(text.utf8), tool: "t")
        }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.count == 2)
    }
}
