/// What is refused, and why that much.
enum Limit {
    /// Descriptors: two for each of 250,000 connections, as far as the host lets it.
    static let descriptors: UInt64 = 1 << 19
    /// Descriptors that connections leave to listeners, questions and pipes.
    static let descriptorsKept = 1024
    /// What is ready, taken from the kernel at a time.
    static let readyBatch = 128
    /// Connections accepted from one listener in a turn, and questions from one socket.
    static let acceptsPerTurn = 16
    /// How long a listener rests when descriptors have run out, in microseconds.
    static let acceptPause: UInt64 = 100_000
    /// Sandboxes at once: far more than the supervisor can start.
    static let sandboxes = 16_384

    /// Bytes taken from a socket at once while it is not known to send many.
    static let chunkBytes = 16 << 10
    /// Bytes of one direction between its two sockets, at most: what one splice(2) moves.
    static let pipeBytes = 256 << 10
    /// Pipes at once, each two descriptors: of the 64 MiB that the kernel lets an ordinary user
    /// have in pipes (pipe(7), pipe-user-pages-soft), three quarters. Without one, bytes go through
    /// a small buffer.
    static let pipes = 192
    /// Pipes kept for reuse.
    static let idlePipes = 32
    /// Transfers of one connection in a turn; then others get theirs.
    static let transfersPerTurn = 16
    /// How long a client may take to show the name that it means to speak with, in microseconds.
    static let firstBytesWait: UInt64 = 5_000_000

    /// Events that wait for the broker; more are counted and told as lost.
    static let events = 4096
    /// The longest notice of the broker's: its tag and two numbers.
    static let noticeBytes = 64
    /// Orders, and notices, read in a turn.
    static let messagesPerTurn = 64

    /// Questions to the resolver in a second, of one sandbox; and at once beyond that.
    static let questionsPerSecond = 100
    /// Questions of one sandbox that wait for an answer: what glibc asks for 64 names at once.
    static let questionsWaiting = 128
    /// Questions that wait for name servers, of all sandboxes: each has a socket.
    static let lookups = 1024
    /// The largest question that is read: the largest name with EDNS options.
    static let questionBytes = 1232
    /// The largest answer over UDP to one who cannot say how much it takes (RFC 1035).
    static let datagramAnswerBytes = 512
    /// The largest answer of a name server over UDP; none beyond 512 was asked for.
    static let upstreamBytes = 4096
    /// Connections to the resolver (DNS over TCP) of one sandbox.
    static let questionStreams = 16
    /// How long such a connection may rest, in microseconds (RFC 7766 section 6.2.3).
    static let questionStreamIdle: UInt64 = 10_000_000
    /// Addresses of one answer that are given out.
    static let addressesInAnswer = 64
    /// Addresses that a sandbox is remembered to have been given.
    static let leases = 4096
    /// Names that one address is remembered for.
    static let namesOfAddress = 16
    /// How long an address stays usable after it was given out, at least: programs keep addresses
    /// longer than they were told (the JVM 30 s, whatever the answer says). In seconds.
    static let leaseSecondsMin: UInt32 = 60
    /// At most; an answer that lives longer is told to live this long. In seconds.
    static let leaseSecondsMax: UInt32 = 3600
    /// How often the host's resolver files are looked at, in microseconds.
    static let filesInterval: UInt64 = 1_000_000
    /// The largest of them.
    static let filesBytes = 1 << 20
    /// Name servers used of those that are named (resolv.conf(5), MAXNS).
    static let nameServers = 3
}
