internal import Glibc
internal import Kernel

/// Carries bytes between a host's two streams and the daemon's socket until one side ends.
final class Bridge {
    private let input: Descriptor
    private let output: Descriptor
    private let server: Descriptor
    private(set) var state: BridgeState

    /// Takes over the descriptors; the socket may be in either mode, the streams keep theirs.
    init(
        input: consuming Descriptor, output: consuming Descriptor, server: consuming Descriptor,
        state: BridgeState = BridgeState()
    ) {
        self.input = input
        self.output = output
        self.server = server
        self.state = state
    }

    /// Runs to the end.
    func run() throws(KernelError) -> BridgeState.Ending {
        while true {
            if let ending = state.ending(at: .now) { return ending }
            try step(patience: state.patience(at: .now))
        }
    }

    /// Waits until something can be done, at most `patience`, and does it.
    func step(patience: Duration?) throws(KernelError) {
        if state.halfCloses { try halfClose() }
        let ready = try poll(
            [
                Interest(state.readsHost ? input.raw : -1, readable: true),
                Interest(output.raw, writable: !state.toHost.isEmpty),
                Interest(
                    state.watchesServer ? server.raw : -1, readable: state.readsServer,
                    writable: state.writesServer),
            ], milliseconds: patience.map { Int(($0 / .milliseconds(1)).rounded(.up)) })
        if ready[0].readable || ready[0].ended { try readHost() }
        if ready[2].readable || ready[2].ended, state.readsServer { try readServer() }
        if ready[2].writable { try writeServer() }
        if ready[1].writable { try writeHost() } else if ready[1].ended { state.lostHost() }
    }

    private func readHost() throws(KernelError) {
        if let bytes = try input.read(limit: Limit.chunkBytes, from: "standard input") {
            state.received(fromHost: bytes, at: .now)
        }
    }

    private func readServer() throws(KernelError) {
        do throws(KernelError) {
            if let bytes = try server.read(limit: Limit.chunkBytes, from: "socket") {
                state.received(fromServer: bytes)
            }
        } catch  where isDisconnect(error) {
            state.lostServer()
        }
    }

    private func writeServer() throws(KernelError) {
        do throws(KernelError) {
            state.sent(toServer: try Socket.sendNow(state.toServer.waiting, over: server.raw))
        } catch  where isDisconnect(error) {
            state.lostServer()
        }
    }

    /// Writes no more than a pipe that is ready always takes: the stream is the host's and may not
    /// be made non-blocking.
    private func writeHost() throws(KernelError) {
        do throws(KernelError) {
            let piece = state.toHost.waiting.prefix(Limit.pipeBytes)
            state.sent(toHost: try output.writeOnce(piece, to: "standard output"))
        } catch  where isDisconnect(error) {
            state.lostHost()
        }
    }

    private func halfClose() throws(KernelError) {
        do throws(KernelError) {
            try Socket.endWriting(server.raw)
        } catch  where isDisconnect(error) {
            state.lostServer()
        }
        state.didHalfClose()
    }
}

/// Whether an error means that the other side is gone.
private func isDisconnect(_ error: KernelError) -> Bool {
    error.errno == EPIPE || error.errno == ECONNRESET
}
