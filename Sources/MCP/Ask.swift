public import JSONRPC

/// Something that a server asks the client for while it works on a call.
public struct Ask: Sendable {
    /// What can be asked for.
    public enum Kind: String, Sendable, Equatable, CaseIterable {
        /// A form for the user to fill in.
        case elicitation = "elicitation/create"
        /// A completion by the client's language model.
        case sampling = "sampling/createMessage"
        /// The directories that the client works in.
        case roots = "roots/list"

        /// The client's capability that answers it.
        public var capability: String { String(describing: self) }
    }

    /// Why it is not handed on.
    public enum Refusal: Error, Sendable, Equatable {
        /// It is no request that there is, or its params are none.
        case malformed(String)
        /// It leads the user to a web page, where nobody here sees what is asked.
        case webPage
        /// The form asks for something that looks like a secret.
        case secret(String)
    }

    /// What is asked for.
    public let kind: Kind
    /// The params as the client gets them.
    public let params: JSON

    /// Reads what a server asks: known members alone, the message under its connection's name.
    public static func read(
        _ kind: Kind, _ params: JSON?, from connection: String
    ) throws(Refusal) -> Ask {
        var clean: JSON = [:]
        for member in params?.objectValue?.members ?? []
        where !["_meta", "task"].contains(member.name) {
            clean[member.name] = member.value
        }
        switch kind {
        case .roots: clean = [:]
        case .sampling:
            guard clean["messages"]?.arrayValue != nil, clean["maxTokens"]?.intValue != nil else {
                throw .malformed("sampling lacks messages or maxTokens")
            }
        case .elicitation:
            guard clean["mode"] == nil || clean["mode"] == "form" else { throw .webPage }
            guard let message = clean["message"]?.stringValue,
                clean["requestedSchema"]?["properties"]?.objectValue != nil
            else { throw .malformed("elicitation lacks a message or a form") }
            if let word = secret(in: message, clean["requestedSchema"]) { throw .secret(word) }
            clean["message"] = .string("[\(connection)] \(message)")
        }
        return Ask(kind: kind, params: clean)
    }

    /// The word by which a form gives away that it wants a secret.
    private static func secret(in message: String, _ schema: JSON?) -> String? {
        if let word = Secrets.word(in: message) { return word }
        for field in schema?["properties"]?.objectValue?.members ?? [] {
            if let word = Secrets.word(in: field.name, isName: true) { return word }
            for text in [field.value["title"], field.value["description"]] {
                if let word = text?.stringValue.flatMap({ Secrets.word(in: $0) }) { return word }
            }
        }
        return nil
    }
}

/// Recognises text that asks for a secret, by its words.
enum Secrets {
    private static let words: Set = [
        "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets",
        "credential", "credentials", "otp", "cvv", "cvc", "ssn", "apikey",
    ]
    private static let pairs: Set = [
        "apikey", "accesskey", "privatekey", "secretkey", "accesstoken", "authtoken", "apitoken",
        "bearertoken", "securitycode", "recoverycode", "cardnumber", "pincode", "seedphrase",
        "recoveryphrase", "personaltoken", "refreshtoken",
    ]

    /// The word, or the two words, that stand for a secret; `isName` is a field's own name, where
    /// `token` alone is enough.
    static func word(in text: String, isName: Bool = false) -> String? {
        let found = split(text)
        for (index, word) in found.enumerated() {
            if words.contains(word) || (isName && ["token", "pin"].contains(word)) { return word }
            guard index + 1 < found.count else { break }
            if pairs.contains(word + found[index + 1]) { return word + " " + found[index + 1] }
        }
        return nil
    }

    /// Words in lower case: a capital after a small letter begins another one (`apiKey`).
    private static func split(_ text: String) -> [String] {
        var found: [String] = []
        var word = ""
        var wasLower = false
        for character in text {
            guard character.isLetter || character.isNumber else {
                if !word.isEmpty { found.append(word) }
                word = ""
                wasLower = false
                continue
            }
            if character.isUppercase, wasLower {
                found.append(word)
                word = ""
            }
            wasLower = character.isLowercase
            word += character.lowercased()
        }
        return word.isEmpty ? found : found + [word]
    }
}

/// What a client says that it can be asked for.
public struct ClientCapabilities: Sendable, Equatable {
    /// What it answers.
    public private(set) var asks: Set<Ask.Kind> = []

    /// None.
    public init() {}

    /// Reads the object of capabilities, of either era.
    init(_ json: JSON?) {
        for kind in Ask.Kind.allCases {
            guard let capability = json?[kind.capability], capability.objectValue != nil else {
                continue
            }
            // Without a word on modes, forms are meant.
            let isForm = capability["form"] != nil || capability["url"] == nil
            if kind != .elicitation || isForm { asks.insert(kind) }
        }
    }

    /// The capabilities that stand for these kinds, as servers of the era are told.
    static func json(_ asks: Set<Ask.Kind>) -> JSON {
        var object: JSONObject = [:]
        for kind in Ask.Kind.allCases where asks.contains(kind) {
            object[kind.capability] = kind == .elicitation ? ["form": [:]] : [:]
        }
        return .object(object)
    }
}

/// A result that says that the server needs to know more first (MRTR).
public struct InputRequired: Sendable {
    /// What it asks for, by its own keys, in order.
    public var asks: [(key: String, ask: Ask)] = []
    /// What the next round has to carry.
    public var state: String?

    /// Reads such a result; nil when the message is none.
    public static func read(
        _ message: Envelope, _ bytes: [UInt8], from connection: String
    ) throws(Ask.Refusal) -> InputRequired? {
        guard let type = message.resultMembers?[.resultType],
            Value.string(bytes, type) == "input_required", let range = message.result
        else { return nil }
        guard let result = Value.tree(bytes, range) else {
            throw .malformed("the result has a name twice")
        }
        var required = InputRequired()
        required.state = result["requestState"]?.stringValue
        for member in result["inputRequests"]?.objectValue?.members ?? [] {
            guard let kind = member.value["method"]?.stringValue.flatMap(Ask.Kind.init) else {
                throw .malformed("it asks for something that there is not")
            }
            required.asks.append(
                (member.name, try Ask.read(kind, member.value["params"], from: connection)))
        }
        guard required.asks.count <= Limit.asks, !required.asks.isEmpty || required.state != nil
        else { throw .malformed("it asks for nothing, or for too much") }
        return required
    }

    /// The result as a modern client gets it.
    public var json: JSON {
        var result: JSON = ["resultType": "input_required"]
        var requests: JSONObject = [:]
        for (key, ask) in asks {
            requests[key] = ["method": .string(ask.kind.rawValue), "params": ask.params]
        }
        if !requests.isEmpty { result["inputRequests"] = .object(requests) }
        result["requestState"] = state.map(JSON.string)
        return result
    }

    /// Makes a result that asks for one thing.
    public init(_ ask: Ask, key: String, state: String) {
        asks = [(key, ask)]
        self.state = state
    }

    private init() {}
}
