/// What the command refuses or gives up, and why that much.
enum Limit {
    /// How long the daemon may take for what it answers from memory.
    static let answer = Duration.seconds(30)
    /// How long connecting, testing or a call may take: the policy's own deadlines (10 minutes at
    /// most) end them sooner.
    static let work = Duration.seconds(15 * 60)
    /// How long the daemon may take to read its files anew, and the gateway to follow them.
    static let reload = Duration.seconds(90)
    /// Bytes of arguments read from standard input: one line of the protocol.
    static let inputBytes = 10 << 20
    /// Refusals of the network told at a command's end; the rest is counted.
    static let refusals = 16
    /// Bytes of one credential.
    static let secretBytes = 64 << 10
    /// Lines of a server's log shown with an error.
    static let logLinesShown = 10
    /// Pages of a listing that are followed.
    static let pages = 1_000
    /// Bytes read from the socket at a time.
    static let chunkBytes = 64 << 10
    /// How often a spinner turns.
    static let spinnerMilliseconds = 100
    /// Bytes the bridge holds in each direction before it stops reading.
    static let bridgeBytes = 256 << 10
    /// Bytes written to the host at a time: what a pipe that poll(2) calls writable always takes.
    static let pipeBytes = 4_096
    /// How long the bridge drains answers after its host's end of input. Hosts kill after 2 s.
    static let drain = Duration.milliseconds(1_500)
    /// How long the daemon may take to greet the bridge.
    static let greeting = Duration.seconds(10)
}
