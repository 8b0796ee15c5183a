/// The server name in the first message of a TLS client (RFC 8446 section 4.1.2, RFC 6066
/// section 3).
///
/// With Encrypted Client Hello the name here is the outer one, by which the connection is judged.
enum ClientHello {
    private static let handshakeRecord: UInt8 = 22
    private static let clientHello: UInt8 = 1
    private static let serverName: UInt16 = 0
    /// The longest record of plain text (RFC 8446 section 5.1).
    private static let recordBytes = 16 << 10

    static func read(_ bytes: [UInt8]) -> FirstBytes {
        guard bytes.count >= 2 else { return .needMore(isNaming: false) }
        // Every version of TLS writes 3 here; something else only begins with the same byte.
        guard bytes[1] == 3 else { return .unnamed }
        var message: [UInt8] = []
        var at = 0
        while true {
            guard bytes.count - at >= 5 else { return .needMore(isNaming: true) }
            let length = Int(bytes[at + 3]) << 8 | Int(bytes[at + 4])
            // The message may be cut into records, but nothing else may stand between them.
            guard bytes[at] == handshakeRecord, bytes[at + 1] == 3,
                (1...recordBytes).contains(length)
            else { return .unreadable }
            message += bytes[(at + 5)..<min(at + 5 + length, bytes.count)]
            if let whole = wholeMessage(message) { return names(whole) }
            if let first = message.first, first != clientHello { return .unreadable }
            guard bytes.count - at >= 5 + length else { return .needMore(isNaming: true) }
            at += 5 + length
        }
    }

    /// The hello itself, when all of it is there.
    private static func wholeMessage(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 4, bytes[0] == clientHello else { return nil }
        let length = Int(bytes[1]) << 16 | Int(bytes[2]) << 8 | Int(bytes[3])
        return bytes.count - 4 >= length ? Array(bytes[4..<4 + length]) : nil
    }

    private static func names(_ hello: [UInt8]) -> FirstBytes {
        var input = Fields(hello[...])
        // Version and random, session, cipher suites, compression.
        guard input.take(34) != nil, input.vector(1) != nil, input.vector(2) != nil,
            input.vector(1) != nil
        else { return .unreadable }
        if input.isEmpty { return .unnamed }
        guard let all = input.vector(2), input.isEmpty else { return .unreadable }
        var extensions = Fields(all)
        var found: FirstBytes?
        while !extensions.isEmpty {
            guard let kind = extensions.number(), let content = extensions.vector(2) else {
                return .unreadable
            }
            guard kind == serverName else { continue }
            guard found == nil, let name = hostName(content) else { return .unreadable }
            found = .names([name])
        }
        return found ?? .unnamed
    }

    /// The one name of a server name extension; nil for anything else, since RFC 6066 leaves open
    /// what a server makes of more.
    private static func hostName(_ content: ArraySlice<UInt8>) -> String? {
        var outer = Fields(content)
        guard let list = outer.vector(2), outer.isEmpty else { return nil }
        var input = Fields(list)
        guard input.take(1)?.first == 0, let name = input.vector(2), input.isEmpty,
            !name.isEmpty, name.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }
}

/// The fields of a TLS message, from the first to the last.
private struct Fields {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isEmpty: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number() -> UInt16? {
        take(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } }
    }

    /// Bytes after their count, which has so many bytes itself.
    mutating func vector(_ countBytes: Int) -> ArraySlice<UInt8>? {
        guard let count = take(countBytes) else { return nil }
        return take(count.reduce(0) { $0 << 8 | Int($1) })
    }
}
