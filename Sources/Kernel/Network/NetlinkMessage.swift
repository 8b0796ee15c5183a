import CKernel
import Glibc

/// Writes netlink messages (netlink(7)): header, fixed part, attributes, each at a multiple of 4.
struct NetlinkWriter {
    private(set) var bytes: [UInt8] = []
    /// How many messages ask for an answer.
    private(set) var count = 0

    /// What a message asks for beside NLM_F_REQUEST.
    struct Flags: OptionSet {
        let rawValue: UInt16
        static let acknowledge = Flags(rawValue: 0x4)
        /// NLM_F_ROOT | NLM_F_MATCH.
        static let dump = Flags(rawValue: 0x300)
        static let exclusive = Flags(rawValue: 0x200)
        static let create = Flags(rawValue: 0x400)
        static let append = Flags(rawValue: 0x800)
    }

    /// One message; its sequence number is its place among those that are answered.
    mutating func message(
        _ type: Int, _ flags: Flags, fixed: [UInt8],
        _ attributes: (inout NetlinkAttributes) -> Void = { _ in }
    ) {
        if flags.contains(.acknowledge) || flags.contains(.dump) { count += 1 }
        var body = NetlinkAttributes()
        attributes(&body)
        let length = 16 + fixed.count + body.bytes.count
        bytes += UInt32(length).host + UInt16(type).host + (flags.rawValue | 1).host
        bytes += UInt32(count).host + UInt32(0).host + fixed + body.bytes
    }
}

/// The attributes of a message, or of another attribute: length, type, value, padding.
struct NetlinkAttributes {
    fileprivate(set) var bytes: [UInt8] = []
    private static let nested: UInt16 = 0x8000

    mutating func put(_ type: Int, _ value: [UInt8]) {
        bytes += UInt16(4 + value.count).host + UInt16(type).host + value
        bytes += [UInt8](repeating: 0, count: -value.count & 3)
    }

    mutating func put(_ type: Int, _ text: String) { put(type, Array(text.utf8) + [0]) }

    mutating func put(_ type: Int, network value: some FixedWidthInteger) {
        put(type, value.network)
    }

    mutating func put(_ type: Int, _ body: (inout NetlinkAttributes) -> Void) {
        var inner = NetlinkAttributes()
        body(&inner)
        put(type | Int(Self.nested), inner.bytes)
    }
}

/// One message that came, or the attributes of another.
struct NetlinkReader {
    let type: Int
    private let payload: ArraySlice<UInt8>

    /// Takes the messages of a datagram apart; what does not fit together is left out.
    static func messages(_ datagram: [UInt8]) -> [NetlinkReader] {
        var found: [NetlinkReader] = []
        var rest = datagram[...]
        while rest.count >= 16 {
            let length = Int(UInt32(host: rest.prefix(4)))
            guard length >= 16, length <= rest.count else { break }
            let type = Int(UInt16(host: rest.dropFirst(4).prefix(2)))
            found.append(
                NetlinkReader(type: type, payload: rest.dropFirst(16).prefix(length - 16)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    /// The first bytes after the header.
    func fixed(_ count: Int) -> [UInt8] { Array(payload.prefix(count)) }

    /// What an NLMSG_ERROR says: 0 for success; EPROTO for what is none.
    var error: CInt {
        guard payload.count >= 4 else { return EPROTO }
        return -CInt(bitPattern: UInt32(host: payload.prefix(4)))
    }

    /// The attributes behind `fixed` bytes, in their order.
    func attributes(after fixed: Int) -> [NetlinkAttribute] {
        NetlinkAttribute.all(in: payload.dropFirst(fixed))
    }
}

/// One attribute that came.
struct NetlinkAttribute {
    let type: Int
    let value: ArraySlice<UInt8>

    static func all(in bytes: ArraySlice<UInt8>) -> [NetlinkAttribute] {
        var found: [NetlinkAttribute] = []
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(UInt16(host: rest.prefix(2)))
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits are flags.
            let type = Int(UInt16(host: rest.dropFirst(2).prefix(2)) & 0x3fff)
            found.append(
                NetlinkAttribute(type: type, value: rest.dropFirst(4).prefix(length - 4)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    /// The attributes in it.
    var nested: [NetlinkAttribute] { Self.all(in: value) }
    /// Its text, without the NUL.
    var text: String { String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
    /// Its number in network order; 0 for one that is too long.
    var network: UInt64 { value.count > 8 ? 0 : value.reduce(0) { $0 << 8 | UInt64($1) } }
}

extension [NetlinkAttribute] {
    subscript(type type: Int) -> NetlinkAttribute? { first { $0.type == type } }
}

extension FixedWidthInteger {
    /// The bytes as this machine keeps them.
    var host: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: littleEndian >> (8 * Self($0))) }
    }

    /// The bytes, the highest first.
    var network: [UInt8] { byteSwapped.littleEndian.host }

    init(host bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}
