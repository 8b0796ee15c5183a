internal import JSONRPC
internal import Kernel

/// One host's session: bytes to the daemon, or answers that say why it cannot be reached.
final class BridgeSession {
    private let input: Descriptor
    private let output: Descriptor
    private let link: () throws(CommandFailure) -> BridgeLink
    private var framer = LineFramer()

    /// Takes over the host's streams; `link` is tried at the start and, while it fails, at every
    /// line of the host.
    init(
        input: consuming Descriptor, output: consuming Descriptor,
        link: @escaping () throws(CommandFailure) -> BridgeLink
    ) {
        self.input = input
        self.output = output
        self.link = link
    }

    /// Runs until the host or the daemon ends the session; throws why the daemon was never reached.
    func run() throws(CommandFailure) {
        var reason = try carry([])
        while reason != nil, let line = try nextLine() {
            reason = try carry(line + [0x0A] + framer.bytes.suffix(framer.pendingBytes))
            if let reason, let answer = OfflineAnswer.answer(line, reason) { try write(answer) }
        }
        if let reason { throw reason }
    }

    /// Tries to reach the daemon; when that works the session is over afterwards, else this is why.
    private func carry(_ first: [UInt8]) throws(CommandFailure) -> CommandFailure? {
        let reached: BridgeLink
        do throws(CommandFailure) {
            reached = try link()
        } catch {
            return error
        }
        try bridge(reached, first: first)
        return nil
    }

    /// Carries bytes; `first` are those that the host has sent already.
    private func bridge(
        _ link: consuming BridgeLink, first: [UInt8]
    ) throws(CommandFailure) {
        let ending: BridgeState.Ending
        do throws(KernelError) {
            let state = BridgeState(fromHost: first, fromServer: link.unread)
            let bridge = Bridge(
                input: try input.duplicate(), output: try output.duplicate(),
                server: try link.server.duplicate(), state: state)
            ending = try bridge.run()
        } catch {
            throw CommandFailure(.failed, "cannot bridge: \(error)")
        }
        if ending == .serverEnded {
            throw CommandFailure(.failed, "cannot bridge: the daemon closed the connection")
        }
    }

    /// The host's next line; nil at its end of input.
    private func nextLine() throws(CommandFailure) -> [UInt8]? {
        while true {
            switch framer.next() {
            case .line(let range): return Array(framer.bytes[range])
            case .tooLong: continue
            case nil: break
            }
            let bytes: [UInt8]
            do {
                _ = try poll([Interest(input.raw, readable: true)], milliseconds: nil)
                bytes = try input.read(limit: Limit.chunkBytes, from: "standard input") ?? []
            } catch {
                throw CommandFailure(.failed, "cannot bridge: \(error)")
            }
            guard !bytes.isEmpty else { return nil }
            framer.append(bytes)
        }
    }

    private func write(_ bytes: [UInt8]) throws(CommandFailure) {
        do {
            try output.write(bytes, to: "standard output")
        } catch {
            throw CommandFailure(.failed, "cannot bridge: \(error)")
        }
    }
}
