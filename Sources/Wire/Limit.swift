/// What is refused, and why that much.
public enum Limit {
    /// The longest name of DNS in its wire form, with the root's zero (RFC 1035 section 2.3.4).
    public static let nameBytes = 255
    /// The longest label of a name (RFC 1035 section 2.3.4).
    static let labelBytes = 63
    /// The most records of an answer that are read: large pools of addresses stay far below.
    static let records = 256
    /// The most bytes of a first message that are looked at for a name: four times what nginx and
    /// Apache take of a request's head, and what four TLS records of a client's hello never reach.
    public static let firstBytes = 32 << 10
    /// The most names that one first message may carry.
    static let names = 16
}
