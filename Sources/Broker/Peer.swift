internal import JSONRPC
internal import Kernel
internal import NIOCore

/// Someone at the other end of a channel: lines are gathered and leave together, once for each
/// batch that was read.
class Peer {
    /// Lines that have not left yet.
    var out = LineWriter()
    /// The channel's context while it is open.
    final private(set) var context: ChannelHandlerContext?
    private var isDirty = false
    /// Descriptors on their way; lines wait until they have left.
    private var passing: [Passing] = []
    private var isClosed = false

    /// The channel is open: what was gathered before can leave.
    final func opened(_ context: ChannelHandlerContext) {
        self.context = context
        flush()
    }

    /// The channel is closed: whatever is gathered from now on reaches nobody.
    final func closed() {
        context = nil
        isClosed = true
        out.clear()
    }

    /// Notes that there are lines to send; true when it was not noted yet.
    final func markDirty() -> Bool {
        defer { isDirty = true }
        return !isDirty
    }

    /// Sends the gathered lines.
    final func flush() {
        isDirty = false
        guard !out.isEmpty else { return }
        guard passing.isEmpty else {
            // One that does not take descriptors does not read at all.
            if out.bytes.count > Limit.heldBytes { context?.close(promise: nil) }
            return
        }
        guard let context else {
            if isClosed { out.clear() }
            return
        }
        let buffer = context.channel.allocator.buffer(bytes: out.bytes)
        out.clear()
        context.writeAndFlush(NIOAny(buffer), promise: nil)
    }

    /// Whether what was sent has mostly left.
    final var isWritable: Bool { context?.channel.isWritable ?? !isClosed }

    /// Starts or stops reading from it.
    final func setReading(_ on: Bool) {
        guard let context else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: on)
        } catch {
            // The channel has closed meanwhile; there is nothing to read.
        }
    }
}

/// A line with descriptors beside it, on its way to a peer.
private struct Passing {
    let line: [UInt8]
    let descriptors: Descriptors
    /// How many of them leave; the rest is closed.
    let count: Int
    let failed: () -> Void
}

extension Peer {
    /// Sends a line with the first of some descriptors beside it, after all that was sent before;
    /// `failed` is called when they did not leave.
    ///
    /// NIO cannot send descriptors, so the socket is written to directly. That is sound only while
    /// NIO has nothing to write: an empty write ends when all before it has left, and whatever
    /// comes meanwhile is held back here.
    final func pass(
        _ line: [UInt8], _ descriptors: Descriptors, first count: Int,
        failed: @escaping () -> Void
    ) {
        flush()
        passing.append(
            Passing(line: line, descriptors: descriptors, count: count, failed: failed))
        if passing.count == 1 { drain() }
    }

    /// Waits until NIO has nothing to write, and sends what is on its way.
    private func drain() {
        guard let context else { return passed(false) }
        let drained = context.eventLoop.makePromise(of: Void.self)
        drained.futureResult.assumeIsolated().whenComplete { [self] result in
            if case .success = result { passed(true) } else { passed(false) }
        }
        let nothing = context.channel.allocator.buffer(capacity: 0)
        context.writeAndFlush(NIOAny(nothing), promise: drained)
    }

    private func passed(_ isDrained: Bool) {
        let all = passing
        passing = []
        for one in all {
            let raw = one.descriptors.take()
            if !isDrained || !send(one.line, Array(raw.prefix(one.count))) { one.failed() }
            for number in raw { _ = Descriptor(owning: number) }
        }
        flush()
    }

    /// Writes to the socket itself; false when it takes no whole line now, or is gone.
    private func send(_ line: [UInt8], _ descriptors: [CInt]) -> Bool {
        do {
            let sent: Void? = try context?.channel.pipeline.syncOperations
                .withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
                    try Socket.pass(line, descriptors: descriptors, over: socket)
                }
            return sent != nil
        } catch {
            return false
        }
    }
}
