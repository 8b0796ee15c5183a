import Glibc
import Kernel

/// One direction of a connection with the bytes that are on their way in it.
struct Half {
    /// What a step came to.
    enum Outcome: Equatable {
        /// There may be more to do.
        case moved
        /// A socket or a decision is waited for, or all is over.
        case waits
        /// The source failed, with this error number.
        case sourceFailed(CInt)
        /// The sink failed, with this error number.
        case sinkFailed(CInt)
        /// A limit on bytes is reached.
        case exhausted
    }

    var flow = Flow()
    private var pipe: PipeBox?
    private var buffer: [UInt8] = []
    private var sent = 0

    /// Does what comes next.
    mutating func step(
        from source: CInt, to sink: CInt, _ sandbox: Sandbox, _ gateway: Gateway
    ) -> Outcome {
        if flow.next(mayPipe: false) == .receive, flow.isBulk, pipe == nil {
            pipe = gateway.pipes.take()
        }
        switch flow.next(mayPipe: pipe != nil) {
        case .receive: return receive(from: source, to: sink, sandbox, gateway)
        case .fill(let count): return fill(from: source, count, sandbox, gateway)
        case .send: return sendHeld(to: sink)
        case .drain(let count): return drain(to: sink, count)
        case .finish: return finish(sink)
        case .wait, .done: return .waits
        }
    }

    /// Takes bytes that were read elsewhere; they go first.
    mutating func hold(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        buffer = bytes
        sent = 0
        flow.hold(bytes.count)
    }

    /// Gives the pipe back, for others to use.
    mutating func releasePipe(_ gateway: Gateway) {
        guard let pipe else { return }
        self.pipe = nil
        gateway.pipes.give(pipe, isEmpty: !flow.usesPipe || flow.held == 0)
    }

    /// Gives the pipe back unless bytes are in it.
    mutating func rest(_ gateway: Gateway) {
        if pipe != nil, !flow.usesPipe || flow.held == 0 { releasePipe(gateway) }
    }

    /// Receives and, most often, sends at once: the bytes only stay when they do not fit.
    private mutating func receive(
        from source: CInt, to sink: CInt, _ sandbox: Sandbox, _ gateway: Gateway
    ) -> Outcome {
        let allowance = sandbox.allowance(day: gateway.day) ?? Limit.chunkBytes
        let limit = max(1, min(Limit.chunkBytes, allowance))
        let taken = Internet.receive(source, into: &gateway.room, limit: limit)
        guard flow.took(taken, intoPipe: false) else { return failure(taken) }
        guard case .bytes(let count) = taken else { return taken == .ended ? .moved : .waits }
        guard allowance > 0 else { return .exhausted }
        sandbox.spend(count, day: gateway.day)
        let given = Internet.send(sink, gateway.room, from: 0, to: count)
        guard flow.gave(given) else { return sinkFailure(given) }
        if flow.held > 0 {
            buffer = Array(gateway.room[(count - flow.held)..<count])
            sent = 0
        }
        return .moved
    }

    private mutating func sendHeld(to sink: CInt) -> Outcome {
        let given = Internet.send(sink, buffer, from: sent, to: buffer.count)
        guard flow.gave(given) else { return sinkFailure(given) }
        guard case .bytes(let count) = given else { return .waits }
        sent += count
        if flow.held == 0 { buffer = [] }
        return .moved
    }

    private mutating func fill(
        from source: CInt, _ count: Int, _ sandbox: Sandbox, _ gateway: Gateway
    ) -> Outcome {
        guard let pipe else { return .waits }
        let allowance = sandbox.allowance(day: gateway.day) ?? count
        let limit = max(1, min(count, allowance))
        let taken = Internet.splice(from: source, to: pipe.pipe.write.raw, count: limit)
        guard flow.took(taken, intoPipe: true) else { return failure(taken) }
        guard case .bytes(let moved) = taken else { return taken == .ended ? .moved : .waits }
        guard allowance > 0 else { return .exhausted }
        sandbox.spend(moved, day: gateway.day)
        return .moved
    }

    private mutating func drain(to sink: CInt, _ count: Int) -> Outcome {
        guard let pipe else { return .waits }
        let given = Internet.splice(from: pipe.pipe.read.raw, to: sink, count: count)
        guard flow.gave(given) else { return sinkFailure(given) }
        return given == .blocked ? .waits : .moved
    }

    private mutating func finish(_ sink: CInt) -> Outcome {
        do throws(KernelError) {
            try Socket.endWriting(sink)
            flow.finished()
            return .moved
        } catch {
            return .sinkFailed(error.errno)
        }
    }

    private func failure(_ transfer: Transfer) -> Outcome {
        if case .failed(let errno) = transfer { .sourceFailed(errno) } else { .waits }
    }

    private func sinkFailure(_ transfer: Transfer) -> Outcome {
        if case .failed(let errno) = transfer { .sinkFailed(errno) } else { .sinkFailed(EPIPE) }
    }
}
