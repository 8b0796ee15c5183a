internal import NetworkRules

extension ByteWriter {
    /// Whether there is one, and then it.
    mutating func putOptional<Value>(_ value: Value?, _ body: (inout Self, Value) -> Void) {
        put(value != nil)
        if let value { body(&self, value) }
    }
}

extension ByteReader {
    mutating func optional<Value>(
        _ body: (inout Self) throws(DecodingError) -> Value
    ) throws(DecodingError) -> Value? {
        try bool() ? try body(&self) : nil
    }
}

extension IPAddress {
    func write(to out: inout ByteWriter) {
        out.put(family.rawValue)
        for byte in bytes { out.put(byte) }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        guard let family = Family(rawValue: try input.number()) else { throw .badValue }
        var bytes: [UInt8] = []
        for _ in 0..<(family == .v4 ? 4 : 16) { bytes.append(try input.number()) }
        guard let address = IPAddress(bytes: bytes) else { throw .badValue }
        self = address
    }
}

extension AddressSet {
    fileprivate init(from input: inout ByteReader) throws(DecodingError) {
        guard let set = AddressSet(rawValue: try input.string()) else { throw .badValue }
        self = set
    }
}

extension Denial {
    func write(to out: inout ByteWriter) {
        out.put(reason.rawValue)
        out.putOptional(set) { out, set in out.put(set.rawValue) }
        out.put(place)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        guard let reason = Reason(rawValue: try input.number()) else { throw .badValue }
        let set = try input.optional { input throws(DecodingError) in
            try AddressSet(from: &input)
        }
        self.init(reason, set: set, place: try input.string())
    }
}

extension Destination {
    private enum Tag: UInt8 {
        case name = 1
        case subdomains = 2
        case range = 3
        case hostAddresses = 4
    }

    func write(to out: inout ByteWriter) {
        switch host {
        case .name(let name):
            out.put(Tag.name.rawValue)
            out.put(name.text)
        case .subdomains(let name):
            out.put(Tag.subdomains.rawValue)
            out.put(name.text)
        case .range(let range):
            out.put(Tag.range.rawValue)
            range.first.write(to: &out)
            out.put(UInt8(range.prefixLength))
        case .hostAddresses: out.put(Tag.hostAddresses.rawValue)
        }
        out.put(ports) { out, range in
            out.put(range.lowerBound)
            out.put(range.upperBound)
        }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        guard let tag = Tag(rawValue: try input.number()) else { throw .badValue }
        let host: Host
        switch tag {
        case .name: host = .name(try HostName(from: &input))
        case .subdomains: host = .subdomains(of: try HostName(from: &input))
        case .range:
            let first = try IPAddress(from: &input)
            let length = Int(try input.number(UInt8.self))
            guard let range = AddressRange(first, prefixLength: length) else { throw .badValue }
            host = .range(range)
        case .hostAddresses: host = .hostAddresses
        }
        let ports = try input.list { input throws(DecodingError) in
            let lower = try input.number(UInt16.self)
            let upper = try input.number(UInt16.self)
            guard lower <= upper else { throw DecodingError.badValue }
            return lower...upper
        }
        self.init(host: host, ports: ports)
    }
}

extension HostName {
    fileprivate init(from input: inout ByteReader) throws(DecodingError) {
        let text = try input.string()
        guard let name = HostName(text), name.text == text else { throw .badValue }
        self = name
    }
}

extension EgressRules {
    func write(to out: inout ByteWriter) {
        out.put(allow) { out, entry in
            entry.destination.write(to: &out)
            out.put(entry.allowsPrivate)
            out.put(entry.text)
            out.put(entry.place)
        }
        out.put(deny) { out, entry in
            out.put(entry.set.rawValue)
            out.put(entry.place)
        }
        limits.write(to: &out)
        out.put(limitPlaces.sorted { $0.key < $1.key }) { out, entry in
            out.put(entry.key)
            out.put(entry.value)
        }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        let allow = try input.list { input throws(DecodingError) in
            Allow(
                destination: try Destination(from: &input), allowsPrivate: try input.bool(),
                text: try input.string(), place: try input.string())
        }
        let deny = try input.list { input throws(DecodingError) in
            Deny(set: try AddressSet(from: &input), place: try input.string())
        }
        let limits = try Limits(from: &input)
        let places = try input.list { input throws(DecodingError) in
            (key: try input.string(), value: try input.string())
        }
        self.init(
            allow: allow, deny: deny, limits: limits,
            limitPlaces: Dictionary(
                places.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
    }
}

extension EgressRules.Limits {
    fileprivate func write(to out: inout ByteWriter) {
        out.put(Int64(connections))
        out.put(Int64(connectionsPerSecond))
        out.putOptional(bytesPerCall) { out, value in out.put(Int64(value)) }
        out.putOptional(bytesPerDay) { out, value in out.put(Int64(value)) }
        out.put(Int64(idleMilliseconds))
        out.putOptional(lifeMilliseconds) { out, value in out.put(Int64(value)) }
    }

    fileprivate init(from input: inout ByteReader) throws(DecodingError) {
        func number(_ input: inout ByteReader) throws(DecodingError) -> Int {
            let value = try input.number(Int64.self)
            guard value >= 0 else { throw .badValue }
            return Int(value)
        }
        self.init(
            connections: try number(&input), connectionsPerSecond: try number(&input),
            bytesPerCall: try input.optional(number), bytesPerDay: try input.optional(number),
            idleMilliseconds: try number(&input), lifeMilliseconds: try input.optional(number))
    }
}
