/// What the rules say of one connection or one question for a name.
public enum Verdict: Sendable, Hashable {
    /// It may be made; the index of the entry of `allow` that grants it.
    case allowed(rule: Int)
    /// It may not.
    case denied(Denial)
}

/// Why something may not be connected to, or asked for.
public struct Denial: Error, Sendable, Hashable {
    /// The kinds, by the word that people and programs see.
    public enum Reason: UInt8, Sendable, CaseIterable {
        /// No entry of `allow` names it.
        case notAllowed = 1
        /// An entry of `deny` names its address: the set's name is in `set`.
        case deniedSet = 2
        /// It is an address of the host that Corral runs on.
        case hostAddress = 3
        /// The name that the program sends (TLS SNI, HTTP Host) is not the one that was allowed.
        case nameMismatch = 4
        /// Too many connections at once.
        case connections = 5
        /// Too many new connections in a second.
        case connectionRate = 6
        /// The call has used its bytes.
        case bytesPerCall = 7
        /// The day's bytes are used.
        case bytesPerDay = 8
        /// A kind of question that is not answered, or no valid question.
        case badQuestion = 9
        /// Rules that came later deny what was open.
        case revoked = 10
    }
    /// The kind.
    public var reason: Reason
    /// The set that names the address, with `deniedSet`.
    public var set: AddressSet?
    /// The rule that decided, `FILE:LINE`; empty when no rule did.
    public var place: String

    /// Describes a denial.
    public init(_ reason: Reason, set: AddressSet? = nil, place: String = "") {
        self.reason = reason
        self.set = set
        self.place = place
    }
}
