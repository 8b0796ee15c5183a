/// Why a destination was denied, by the name that messages carry.
public enum NetworkReason: String, Sendable, Equatable, CaseIterable {
    /// No entry of `network.allow` names it.
    case notAllowed = "not_allowed"
    /// A set of `network.deny` holds its address.
    case deniedSet = "denied_set"
    /// It is an address of the host's own.
    case hostAddress = "host_address"
    /// The program sent another name (TLS SNI, HTTP Host) than the one that is allowed.
    case nameMismatch = "name_mismatch"
    /// Too many connections at once.
    case connections
    /// Too many new connections in a second.
    case connectionsPerSecond = "connections_per_second"
    /// The call's bytes are used.
    case bytesPerCall = "bytes_per_call"
    /// The day's bytes are used.
    case bytesPerDay = "bytes_per_day"
    /// A question that the resolver does not answer.
    case badQuestion = "bad_question"
    /// Rules that came later deny what was open.
    case revoked

    /// The limit's key in a policy, when a limit was met.
    public var limit: String? {
        switch self {
        case .connections, .connectionsPerSecond, .bytesPerCall, .bytesPerDay:
            "network.\(rawValue)"
        default: nil
        }
    }

    /// What an error says in parentheses.
    public var short: String {
        switch self {
        case .notAllowed: "not allowed"
        case .deniedSet: "denied"
        case .hostAddress: "an address of this host"
        case .nameMismatch: "another name was sent"
        case .badQuestion: "no question that is answered"
        case .revoked: "not allowed any more"
        case .connections, .connectionsPerSecond, .bytesPerCall, .bytesPerDay: limit ?? rawValue
        }
    }
}

/// A destination as people read it: `169.254.169.254:80`, `[::1]:80`, or the name of a question.
public func destinationText(address: String, port: Int, name: String) -> String {
    guard !address.isEmpty else { return name }
    return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
}
