public import NetworkRules

extension NetworkReason {
    /// The reason by the name that messages carry.
    public init(_ reason: Denial.Reason) {
        self =
            switch reason {
            case .notAllowed: .notAllowed
            case .deniedSet: .deniedSet
            case .hostAddress: .hostAddress
            case .nameMismatch: .nameMismatch
            case .connections: .connections
            case .connectionRate: .connectionsPerSecond
            case .bytesPerCall: .bytesPerCall
            case .bytesPerDay: .bytesPerDay
            case .badQuestion: .badQuestion
            case .revoked: .revoked
            }
    }

    /// The key of a policy that decided: `network.deny: metadata`.
    fileprivate func rule(_ set: String?) -> String? {
        switch self {
        case .deniedSet: set.map { "network.deny: \($0)" }
        case .notAllowed, .hostAddress, .nameMismatch, .revoked: "network.allow"
        case .badQuestion: nil
        default: limit
        }
    }
}

extension CallNetwork.Denied {
    /// A refusal as people are told it; `id` is empty where nothing is kept to explain it by.
    public init(
        _ denial: Denial, id: String, address: IPAddress?, port: UInt16, name: String,
        place: String
    ) {
        let colon = place.lastIndex(of: ":")
        let line = colon.flatMap { Int(place[place.index(after: $0)...]) }
        let file = line == nil ? place : colon.map { String(place[..<$0]) } ?? place
        let reason = NetworkReason(denial.reason)
        self.init(
            id: id,
            destination: destinationText(
                address: address.map { "\($0)" } ?? "", port: Int(port), name: name),
            name: name, reason: reason, set: denial.set?.rawValue,
            rule: reason.rule(denial.set?.rawValue), file: file.isEmpty ? nil : file, line: line)
    }
}
