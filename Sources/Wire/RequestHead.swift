/// The hosts that the head of an HTTP/1 request names (RFC 9112 section 3.2), in its target and in
/// its Host fields.
///
/// Strict: what two servers could read in two ways is unreadable. HTTP/2 without TLS begins with a
/// preface of its own and names its hosts in a compressed form, which is not looked into.
enum RequestHead {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let version = Array("HTTP/".utf8)
    private static let host = Array("host".utf8)
    /// A method is a word; IANA lists none beyond 17 letters, but servers take longer ones.
    private static let methodBytes = 1024

    static func read(_ bytes: [UInt8]) -> FirstBytes {
        if bytes.starts(with: preface) { return .unnamed }
        if preface.starts(with: bytes) { return .needMore(isNaming: false) }
        // Servers step over empty lines before a request (RFC 9112 section 2.2).
        let blank = bytes.prefix { $0 == carriageReturn || $0 == lineFeed }.count
        let rest = bytes[blank...]
        guard isMethod(rest) else { return .unnamed }
        let end = rest.firstIndex(of: lineFeed)
        let line = trimmed(rest[..<(end ?? rest.endIndex)])
        guard contains(line, version) else {
            // Bytes that are no text are of another protocol.
            return end == nil && line.allSatisfy(isText) ? .needMore(isNaming: false) : .unnamed
        }
        guard let end else { return .needMore(isNaming: true) }
        return headers(bytes, from: end + 1, target: target(of: line))
    }

    /// Whether it is, or may become, a method and a space.
    private static func isMethod(_ bytes: ArraySlice<UInt8>) -> Bool {
        let word = bytes.prefix(methodBytes + 1).prefix { isTokenByte($0) }
        if word.count == bytes.count { return word.count <= methodBytes }
        let next = bytes[word.endIndex]
        return !word.isEmpty && word.count <= methodBytes && (next == space || next == tab)
    }

    /// The target of an exact request line; nil for one that only looks like it.
    private static func target(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let parts = line.split(separator: space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[1].isEmpty,
            parts[2] == Array("HTTP/1.1".utf8)[...] || parts[2] == Array("HTTP/1.0".utf8)[...],
            parts[1].allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return parts[1]
    }

    private static func headers(
        _ bytes: [UInt8], from start: Int, target: ArraySlice<UInt8>?
    ) -> FirstBytes {
        guard let target, var names = authority(of: target) else { return .unreadable }
        var at = start
        while let end = bytes[at...].firstIndex(of: lineFeed) {
            let line = trimmed(bytes[at..<end])
            if line.isEmpty { return names.isEmpty ? .unnamed : .names(names) }
            guard let field = field(line) else { return .unreadable }
            if field.name.map(DNSName.lowercased) == host {
                guard let name = hostPart(field.value), names.count < Limit.names else {
                    return .unreadable
                }
                if !name.isEmpty { names.append(name) }
            }
            at = end + 1
        }
        return .needMore(isNaming: true)
    }

    /// The host in `http://HOST/…` and `HOST:PORT`; none in `/…` and `*`; nil for anything else.
    private static func authority(of target: ArraySlice<UInt8>) -> [String]? {
        if target.first == UInt8(ascii: "/") || target.elementsEqual([UInt8(ascii: "*")]) {
            return []
        }
        var rest = target
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")),
            rest[colon...].starts(with: Array("://".utf8))
        {
            rest = rest[(colon + 3)...].prefix { !Array("/?#".utf8).contains($0) }
        }
        guard let name = hostPart(rest), !name.isEmpty else { return nil }
        return [name]
    }

    /// What stands before a port; nil for user names, spaces and the like in it.
    private static func hostPart(_ text: ArraySlice<UInt8>) -> String? {
        var name = text
        if let colon = text.lastIndex(of: UInt8(ascii: ":")),
            text[(colon + 1)...].allSatisfy({ (0x30...0x39).contains($0) })
        {
            name = text[..<colon]
        }
        guard name.allSatisfy({ (0x21...0x7E).contains($0) && !Array("@/\\?#,".utf8).contains($0) })
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// A field of the head; nil when it is folded, or has no name that ends with a colon.
    private static func field(
        _ line: ArraySlice<UInt8>
    ) -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(isTokenByte),
            !line.contains(0), !line.contains(carriageReturn)
        else { return nil }
        var value = line[(colon + 1)...].drop { $0 == space || $0 == tab }
        while let last = value.last, last == space || last == tab { value.removeLast() }
        return (line[..<colon], value)
    }

    /// A line without the carriage return before its end.
    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == carriageReturn ? line.dropLast() : line
    }

    /// Whether the word stands in it, in whatever case.
    private static func contains(_ line: ArraySlice<UInt8>, _ word: [UInt8]) -> Bool {
        guard line.count >= word.count else { return false }
        return (line.startIndex...(line.endIndex - word.count)).contains { start in
            line[start..<start + word.count].elementsEqual(word) { $0 & 0xDF == $1 & 0xDF }
        }
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= space && byte != 0x7F || byte == tab
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
        }
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
}
