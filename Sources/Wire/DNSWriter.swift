/// Writes a message; names that end like one before point to it (RFC 1035 section 4.1.4).
struct DNSWriter {
    private(set) var bytes: [UInt8] = []
    /// Where each ending of a name was written first.
    private var written: [ArraySlice<UInt8>: Int] = [:]

    mutating func header(id: UInt16, flags: UInt16, questions: Int, answers: Int) {
        short(id)
        short(flags)
        short(UInt16(questions))
        short(UInt16(answers))
        short(0)
        short(0)
    }

    mutating func put(_ question: DNSQuestion) {
        name(question.name)
        short(question.type.rawValue)
        short(question.recordClass)
    }

    mutating func put(_ record: DNSRecord) {
        name(record.owner)
        short(record.data.type.rawValue)
        short(1)
        short(UInt16(record.secondsToLive >> 16))
        short(UInt16(truncatingIfNeeded: record.secondsToLive))
        let length = bytes.count
        short(0)
        data(record.data)
        let count = bytes.count - length - 2
        bytes[length] = UInt8(count >> 8)
        bytes[length + 1] = UInt8(truncatingIfNeeded: count)
    }

    private mutating func data(_ data: DNSData) {
        switch data {
        case .address(let address): bytes += address
        case .cname(let target): name(target)
        case .mx(let preference, let host):
            short(preference)
            name(host)
        case .srv(let priority, let weight, let port, let host):
            short(priority)
            short(weight)
            short(port)
            // RFC 2782: a service's host is never compressed.
            bytes += host.wire + [0]
        case .txt(let text): bytes += text
        case .other: break
        }
    }

    private mutating func name(_ name: DNSName) {
        var rest = name.wire[...]
        while let length = rest.first {
            if let at = written[rest] {
                short(0xC000 | UInt16(at))
                return
            }
            // A pointer has 14 bits.
            if bytes.count < 0x4000 { written[rest] = bytes.count }
            bytes += rest.prefix(1 + Int(length))
            rest = rest.dropFirst(1 + Int(length))
        }
        bytes.append(0)
    }

    private mutating func short(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
}

extension DNSData {
    /// IANA's number for the kind.
    public var type: DNSType {
        switch self {
        case .address(let bytes): bytes.count == 4 ? .a : .aaaa
        case .cname: .cname
        case .mx: .mx
        case .srv: .srv
        case .txt: .txt
        case .other(let type): type
        }
    }

    /// Whether it can be written; a kind that is not known was only stepped over.
    var isWritten: Bool {
        if case .other = self { return false }
        return true
    }
}
