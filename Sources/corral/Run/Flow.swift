internal import Glibc
internal import Kernel

/// Bytes on their way from one descriptor to another, none of them looked at.
final class Flow {
    private var source: Descriptor?
    private var sink: Descriptor?
    private var queue = ByteQueue()
    /// What one write takes at most: a foreign pipe may not be made non-blocking, and takes this
    /// much without waiting when poll(2) calls it writable.
    private let pieceBytes: Int
    /// Whether the sink is ours: its end is worth knowing before there is something to write.
    private let watchesSink: Bool

    /// Takes over both; `ownsSink` says that the sink is non-blocking and nobody else's.
    init(from source: consuming Descriptor, to sink: consuming Descriptor, ownsSink: Bool) {
        // A descriptor may be open for the other direction alone: nohup(1) leaves such a one.
        if source.isReadable { self.source = consume source }
        if sink.isWritable { self.sink = consume sink }
        watchesSink = ownsSink
        pieceBytes = ownsSink ? Limit.chunkBytes : Limit.pipeBytes
    }

    /// Whether nothing will move any more.
    var isOver: Bool { sink == nil }

    /// What to wait for: the source, then the sink.
    var interests: [Interest] {
        let reads = queue.count < Limit.bridgeBytes
        let writes = !queue.isEmpty
        return [
            Interest(reads ? source?.raw ?? -1 : -1, readable: true),
            Interest(writes || watchesSink ? sink?.raw ?? -1 : -1, writable: writes),
        ]
    }

    /// Does what the answers to `interests` allow.
    func move(_ ready: ArraySlice<Interest>) throws(KernelError) {
        guard let from = ready.first, let to = ready.last else { return }
        if from.readable || from.ended { try read() }
        if to.writable { try write() } else if to.ended { stop() }
        if source == nil, queue.isEmpty { stop() }
    }

    /// Lets go of both ends: whoever reads learns that no more comes, whoever writes that nobody
    /// listens.
    func stop() {
        source = nil
        sink = nil
    }

    private func read() throws(KernelError) {
        guard let bytes = try source?.read(limit: Limit.chunkBytes) ?? nil else { return }
        if bytes.isEmpty { source = nil } else { queue.append(bytes) }
    }

    private func write() throws(KernelError) {
        do throws(KernelError) {
            let piece = queue.waiting.prefix(pieceBytes)
            queue.remove(try sink?.writeOnce(piece) ?? 0)
        } catch  where error.errno == EPIPE {
            stop()
        }
    }
}
