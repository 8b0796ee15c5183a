/// Reads a message field by field; nothing beyond its bytes is touched.
struct DNSReader {
    let bytes: [UInt8]
    var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() throws(Malformed) -> UInt8 {
        guard position < bytes.count else { throw .length }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func short() throws(Malformed) -> UInt16 {
        let high = try byte()
        return UInt16(high) << 8 | UInt16(try byte())
    }

    mutating func long() throws(Malformed) -> UInt32 {
        let high = try short()
        return UInt32(high) << 16 | UInt32(try short())
    }

    mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw .length }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// A name. A pointer leads only to bytes before the labels it ends (RFC 1035 section 4.1.4), so
    /// each jump goes further back and no two meet.
    mutating func name() throws(Malformed) -> DNSName {
        var wire: [UInt8] = []
        var at = position
        var earliest = position
        var end: Int?
        while true {
            guard at < bytes.count else { throw .length }
            let length = bytes[at]
            switch length >> 6 {
            case 0 where length == 0:
                position = end ?? at + 1
                return DNSName(wire: wire)
            case 0:
                let label = at + 1..<at + 1 + Int(length)
                guard label.upperBound <= bytes.count else { throw .length }
                guard wire.count + 1 + label.count < Limit.nameBytes else { throw .name }
                wire.append(length)
                wire += bytes[label].map(DNSName.lowercased)
                at = label.upperBound
            case 3:
                guard at + 1 < bytes.count else { throw .length }
                let target = Int(length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < earliest else { throw .name }
                end = end ?? at + 2
                earliest = target
                at = target
            default: throw .name
            }
        }
    }

    mutating func question() throws(Malformed) -> DNSQuestion {
        let name = try name()
        let type = DNSType(rawValue: try short())
        return DNSQuestion(name: name, type: type, recordClass: try short())
    }

    /// One record; `other` for kinds that are only stepped over.
    mutating func record() throws(Malformed) -> (DNSRecord, recordClass: UInt16) {
        let owner = try name()
        let type = DNSType(rawValue: try short())
        let recordClass = try short()
        let life = try long()
        let length = Int(try short())
        guard length <= bytes.count - position else { throw .length }
        let end = position + length
        let data = try self.data(type, end: end)
        guard position == end else { throw .value }
        // A life with its highest bit set counts as none (RFC 2181 section 8).
        let record = DNSRecord(owner, secondsToLive: life >> 31 == 0 ? life : 0, data)
        return (record, recordClass)
    }

    private mutating func data(_ type: DNSType, end: Int) throws(Malformed) -> DNSData {
        switch type {
        case .a, .aaaa:
            guard end - position == (type == .a ? 4 : 16) else { throw .value }
            return .address(Array(try take(end - position)))
        case .cname: return .cname(try name())
        case .mx:
            let preference = try short()
            return .mx(preference: preference, try name())
        case .srv:
            let (priority, weight, port) = (try short(), try short(), try short())
            return .srv(priority: priority, weight: weight, port: port, try name())
        case .txt:
            let text = Array(try take(end - position))
            guard Self.areStrings(text) else { throw .value }
            return .txt(text)
        default:
            _ = try take(end - position)
            return .other(type)
        }
    }

    /// One or more strings, each after its length.
    private static func areStrings(_ bytes: [UInt8]) -> Bool {
        var at = 0
        while at < bytes.count { at += 1 + Int(bytes[at]) }
        return at == bytes.count && at > 0
    }
}
