public import NetworkRules

/// What the supervisor tells the gateway, over a SOCK_SEQPACKET pair in the form that `Request`
/// has. Descriptors travel beside it with SCM_RIGHTS.
public enum EgressOrder: Sendable, Equatable {
    /// Opens the conversation, in both directions; the gateway ends when the version is another.
    case hello(version: UInt32)
    /// Where decisions are told from now on. Descriptor: a SOCK_SEQPACKET socket to the broker, on
    /// which `EgressEvent`s go out and `EgressNotice`s come in.
    case listener
    /// A sandbox begins. Descriptors, made inside its network namespace: the listening TCP sockets
    /// of IPv4 and IPv6, the UDP sockets of IPv4 and IPv6 for questions to the resolver.
    case open(EgressSandbox)
    /// A sandbox has other rules from now on; open connections that they deny are closed. Answered
    /// with `applied`.
    case rules(serial: UInt64, sandbox: UInt64, EgressRules)
    /// The host's resolver files, anew. Descriptors: /etc/resolv.conf and /etc/hosts, to be read;
    /// an empty file stands for one that is not there.
    case files
    /// A sandbox has ended: its connections are closed, and what was noted of it is forgotten.
    case close(sandbox: UInt64)
}

/// What the gateway tells the supervisor: nothing that came from a tool or the network.
public enum EgressReply: Sendable, Equatable {
    /// Answers `hello`.
    case hello(version: UInt32)
    /// The rules with this serial number hold.
    case applied(serial: UInt64)
    /// A resolver file has changed or was replaced: asks for `files`.
    case filesChanged
}

/// A sandbox, as the gateway knows it.
public struct EgressSandbox: Sendable, Equatable {
    /// The supervisor's number for it.
    public var sandbox: UInt64
    /// Whose it is, for events and for what is counted by day: a connection's UUID,
    /// `run USER` or `install CARD`.
    public var owner: String
    /// What it may connect to.
    public var rules: EgressRules

    /// Describes a sandbox.
    public init(sandbox: UInt64, owner: String, rules: EgressRules) {
        self.sandbox = sandbox
        self.owner = owner
        self.rules = rules
    }
}
