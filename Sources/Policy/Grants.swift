import YAML

extension Policy.Network {
    /// Whether an entry of `allow` grants this destination: the same name, or an address range
    /// around it, and the same port.
    public func grants(_ destination: String) -> Bool {
        // What is not an endpoint is granted by nothing.
        guard let wish = Endpoint(valid: destination) else { return false }
        return allow.contains { Endpoint(valid: $0)?.covers(wish) ?? false }
    }
}

extension Endpoint {
    /// Reads an entry; nil when it is malformed.
    init?(valid text: String) {
        do throws(Wrong) { self = try Endpoint(text) } catch { return nil }
    }

    /// Whether everything that `other` names is named by this one too.
    public func covers(_ other: Endpoint) -> Bool {
        guard port == other.port else { return false }
        switch (host, other.host) {
        case (.name(let name), .name(let otherName)):
            return name == otherName
        case (.range(let address, let length), .range(let otherAddress, let otherLength)):
            guard address.count == otherAddress.count, length <= otherLength else { return false }
            return (0..<length).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                return address[bit / 8] & mask == otherAddress[bit / 8] & mask
            }
        default:
            return false
        }
    }
}
