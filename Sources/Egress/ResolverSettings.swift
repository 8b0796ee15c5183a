import Kernel
import NetworkRules

/// How the host resolves names: resolv.conf(5) and hosts(5), as far as they say it of questions
/// that are asked on somebody else's behalf.
struct ResolverSettings: Equatable {
    /// Name servers, the first asked first.
    var servers: [Endpoint] = []
    /// How long each is waited for, in microseconds.
    var timeout: UInt64 = 5_000_000
    /// How often each is asked.
    var attempts = 2
    /// What the hosts file says.
    var hosts: [String: [IPAddress]] = [:]

    init() {}

    /// Reads both files; lines that make no sense are passed over, as the host's own resolver does.
    init(resolvConf: String, hosts: String) {
        for line in Self.lines(resolvConf) {
            switch line.first {
            case "nameserver" where line.count > 1 && servers.count < Limit.nameServers:
                if let address = IPAddress(line[1]) { servers.append(Endpoint(address, port: 53)) }
            case "options": for option in line.dropFirst() { set(option) }
            default: break
            }
        }
        // resolv.conf(5): without one, the name server of this machine.
        if servers.isEmpty { servers = [Endpoint(v4: 0x7F00_0001, port: 53)] }
        for line in Self.lines(hosts) {
            guard let address = IPAddress(line[0]) else { continue }
            for word in line.dropFirst() {
                guard let name = HostName(String(word)) else { continue }
                self.hosts[name.text, default: []].append(address)
            }
        }
    }

    private mutating func set(_ option: Substring) {
        let parts = option.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let number = UInt64(parts[1]) else { return }
        // The bounds of resolv.conf(5).
        switch parts[0] {
        case "timeout": timeout = min(max(number, 1), 30) * 1_000_000
        case "attempts": attempts = Int(min(max(number, 1), 5))
        default: break
        }
    }

    /// The words of each line that has any, comments left out.
    private static func lines(_ text: String) -> [[Substring]] {
        text.split(separator: "\n").compactMap { line in
            let words = line.prefix { $0 != "#" && $0 != ";" }.split { $0 == " " || $0 == "\t" }
            return words.isEmpty ? nil : words
        }
    }
}

extension Endpoint {
    /// An address of the rules and a port.
    init(_ address: IPAddress, port: UInt16) {
        let bytes = address.bytes
        func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch address.family {
        case .v4: self.init(v4: UInt32(word(bytes[...])), port: port)
        case .v6: self.init(v6: word(bytes[..<8]), word(bytes[8...]), port: port)
        }
    }

    /// The address as the rules know it: an IPv4 address in IPv6's clothes is that IPv4 address,
    /// for that is where its packets go.
    var address: IPAddress {
        guard isV6 else { return IPAddress(v4: UInt32(truncatingIfNeeded: low)) }
        if high == 0, low >> 32 == 0xFFFF { return IPAddress(v4: UInt32(truncatingIfNeeded: low)) }
        return IPAddress(v6: high, low)
    }
}
