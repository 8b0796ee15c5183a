/// Why bytes are no message.
public enum Malformed: Error, Sendable, Equatable {
    /// They end too early, or go on after the end.
    case length
    /// A name is too long, or points forwards.
    case name
    /// The header asks for something that is not done here.
    case header
    /// A field holds what it may not.
    case value
}

/// What is asked of DNS.
public struct DNSQuestion: Sendable, Hashable {
    /// The name.
    public var name: DNSName
    /// The kind of records.
    public var type: DNSType
    /// The class: 1 is the internet.
    public var recordClass: UInt16

    /// Describes a question of the internet's class.
    public init(_ name: DNSName, _ type: DNSType) {
        self.init(name: name, type: type, recordClass: 1)
    }

    init(name: DNSName, type: DNSType, recordClass: UInt16) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }
}

/// A kind of records (RFC 1035 section 3.2.2, IANA's registry).
public struct DNSType: RawRepresentable, Sendable, Hashable {
    /// IANA's number.
    public let rawValue: UInt16

    /// Takes IANA's number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An IPv4 address.
    public static let a = DNSType(rawValue: 1)
    /// The name that another one stands for.
    public static let cname = DNSType(rawValue: 5)
    /// A mail server.
    public static let mx = DNSType(rawValue: 15)
    /// Text.
    public static let txt = DNSType(rawValue: 16)
    /// An IPv6 address (RFC 3596).
    public static let aaaa = DNSType(rawValue: 28)
    /// A service's host and port (RFC 2782).
    public static let srv = DNSType(rawValue: 33)
    /// Options of the message itself (RFC 6891).
    static let options = DNSType(rawValue: 41)
    /// A whole zone, by difference or in full (RFC 1995, RFC 5936).
    public static let transfers = [DNSType(rawValue: 251), DNSType(rawValue: 252)]
    /// Whatever there is.
    public static let any = DNSType(rawValue: 255)
}

/// What a record says.
public enum DNSData: Sendable, Hashable {
    /// The 4 or 16 bytes of an address (A, AAAA).
    case address([UInt8])
    /// The name that the owner stands for.
    case cname(DNSName)
    /// A mail server, the lowest preference first.
    case mx(preference: UInt16, DNSName)
    /// A service's host and port.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, DNSName)
    /// Strings, each after its length.
    case txt([UInt8])
    /// A kind that is not passed on.
    case other(DNSType)
}

/// One record of an answer.
public struct DNSRecord: Sendable, Hashable {
    /// Whose it is.
    public var owner: DNSName
    /// How long it may be kept, in seconds.
    public var secondsToLive: UInt32
    /// What it says.
    public var data: DNSData

    /// Describes a record.
    public init(_ owner: DNSName, secondsToLive: UInt32, _ data: DNSData) {
        self.owner = owner
        self.secondsToLive = secondsToLive
        self.data = data
    }
}

/// How a question ended (RFC 1035 section 4.1.1).
public enum DNSStatus: UInt8, Sendable {
    /// Here is what there is.
    case success = 0
    /// The question could not be read.
    case malformed = 1
    /// Whoever knows could not be asked.
    case failed = 2
    /// There is no such name.
    case noSuchName = 3
    /// This kind of question is not answered.
    case notImplemented = 4
    /// It is not answered to you.
    case refused = 5
}
