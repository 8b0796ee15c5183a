public import NetworkRules

/// What the gateway tells the broker. Text in it has been chosen by a tool or the network.
public enum EgressEvent: Sendable, Equatable {
    /// Something was decided; a denial is told before the tool can notice it.
    case decided(EgressDecision)
    /// A connection that was allowed is over.
    case ended(EgressEnding)
    /// So many events were not told, because the broker did not read.
    case lost(count: UInt64)
    /// What an open connection has carried so far; part of the answer to `measure`.
    case moved(EgressProgress)
    /// Answers `flush`: everything decided before it has been told. Ends the answer to `measure`.
    case flushed(serial: UInt64)
}

/// What the broker tells the gateway.
public enum EgressNotice: Sendable, Equatable {
    /// A call began at a sandbox that counts bytes by call.
    case callBegan(sandbox: UInt64)
    /// A call ended there.
    case callEnded(sandbox: UInt64)
    /// What its owner has used today before this gateway began to count.
    case spent(sandbox: UInt64, bytes: UInt64)
    /// Asks for `flushed`.
    case flush(serial: UInt64)
    /// Asks for `moved` of each open connection of a sandbox, and then `flushed`.
    case measure(sandbox: UInt64, serial: UInt64)
}

/// One decision of the gateway's.
public struct EgressDecision: Sendable, Equatable {
    /// What was asked for.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// A TCP connection.
        case connect = 1
        /// The addresses or other records of a name.
        case resolve = 2
    }
    /// The gateway's number for it; `ended` names it again.
    public var number: UInt64
    /// The sandbox.
    public var sandbox: UInt64
    /// Whose it is, as the supervisor said.
    public var owner: String
    /// When, in microseconds since 1970 (CLOCK_REALTIME).
    public var time: UInt64
    /// What was asked for.
    public var kind: Kind
    /// The name that was asked for, or that the address was given out for; empty without one.
    public var name: String
    /// The address that was dialled; nil for a question.
    public var address: IPAddress?
    /// The TCP port; 0 for a question.
    public var port: UInt16
    /// Nil when it was allowed.
    public var denial: Denial?
    /// The entry of `allow` that granted it, as it is written; empty when none did.
    public var rule: String
    /// Where the rule that decided stands, `FILE:LINE`; empty when no rule did.
    public var place: String

    /// Describes a decision.
    public init(
        number: UInt64, sandbox: UInt64, owner: String, time: UInt64, kind: Kind, name: String,
        address: IPAddress?, port: UInt16, denial: Denial?, rule: String, place: String
    ) {
        self.number = number
        self.sandbox = sandbox
        self.owner = owner
        self.time = time
        self.kind = kind
        self.name = name
        self.address = address
        self.port = port
        self.denial = denial
        self.rule = rule
        self.place = place
    }
}

/// What an open connection has carried so far.
public struct EgressProgress: Sendable, Equatable {
    /// The decision's number.
    public var number: UInt64
    /// The sandbox.
    public var sandbox: UInt64
    /// Bytes from the tool.
    public var sent: UInt64
    /// Bytes to the tool.
    public var received: UInt64

    /// Describes an open connection.
    public init(number: UInt64, sandbox: UInt64, sent: UInt64, received: UInt64) {
        self.number = number
        self.sandbox = sandbox
        self.sent = sent
        self.received = received
    }
}

/// How a connection ended.
public struct EgressEnding: Sendable, Equatable {
    /// Why.
    public enum Cause: UInt8, Sendable, CaseIterable {
        /// Both sides were done.
        case finished = 1
        /// The tool's side reset it, or went away.
        case resetByTool = 2
        /// The remote side reset it.
        case resetByRemote = 3
        /// It could not be made: `errno` says why.
        case unreachable = 4
        /// It passed no byte for too long.
        case idle = 5
        /// It lasted too long.
        case life = 6
        /// A denial ended it: `denial` says which.
        case denied = 7
        /// Its sandbox ended.
        case sandboxEnded = 8
    }
    /// The decision's number.
    public var number: UInt64
    /// The sandbox.
    public var sandbox: UInt64
    /// When, in microseconds since 1970 (CLOCK_REALTIME).
    public var time: UInt64
    /// Bytes from the tool.
    public var sent: UInt64
    /// Bytes to the tool.
    public var received: UInt64
    /// How long it lasted, in microseconds.
    public var microseconds: UInt64
    /// Why it ended.
    public var cause: Cause
    /// What a failed connect(2) said, or 0.
    public var errno: Int32
    /// What ended it, with `denied`.
    public var denial: Denial?

    /// Describes an ending.
    public init(
        number: UInt64, sandbox: UInt64, time: UInt64, sent: UInt64, received: UInt64,
        microseconds: UInt64, cause: Cause, errno: Int32 = 0, denial: Denial? = nil
    ) {
        self.number = number
        self.sandbox = sandbox
        self.time = time
        self.sent = sent
        self.received = received
        self.microseconds = microseconds
        self.cause = cause
        self.errno = errno
        self.denial = denial
    }
}
