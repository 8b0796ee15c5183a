internal import JSONRPC
internal import NIOCore

/// Someone at the other end of a channel: lines are gathered and leave together, once for each
/// batch that was read.
class Peer {
    /// Lines that have not left yet.
    var out = LineWriter()
    /// The channel's context while it is open.
    final private(set) var context: ChannelHandlerContext?
    private var isDirty = false
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
