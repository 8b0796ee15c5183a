import Kernel

/// One direction of a connection, as a pure state machine: what is to be done next, and what came
/// of it. At most one of a chunk and a pipe's worth lies between the two sockets.
struct Flow {
    /// What is to be done next.
    enum Step: Equatable {
        /// Take at most so many bytes from the source into a buffer.
        case receive
        /// Give the sink what is in the buffer.
        case send
        /// Move at most so many bytes from the source into a pipe.
        case fill(Int)
        /// Move so many bytes from the pipe to the sink.
        case drain(Int)
        /// Tell the sink that nothing more will come.
        case finish
        /// Nothing, until a socket is ready or the rest is allowed.
        case wait
        /// Nothing, ever.
        case done
    }

    /// Whether the source may have something.
    var isReadable = false
    /// Whether the sink may have room.
    var isWritable = false
    /// Whether bytes may go to the sink at all: not before it is known whom they are for.
    var isReleased = true
    /// All bytes that reached the sink.
    private(set) var moved: UInt64 = 0
    /// Bytes between the sockets.
    private(set) var held = 0
    /// Whether the bytes between the sockets are in a pipe.
    private(set) var usesPipe = false
    /// Whether the source fills what it is given, so that a pipe pays.
    private(set) var isBulk = false
    private(set) var sourceEnded = false
    private(set) var isDone = false

    /// The next step; `mayPipe` tells whether a pipe can be had.
    func next(mayPipe: Bool) -> Step {
        if isDone { return .done }
        if held > 0 {
            guard isWritable, isReleased else { return .wait }
            return usesPipe ? .drain(held) : .send
        }
        if sourceEnded { return isWritable && isReleased ? .finish : .wait }
        // Nothing is taken that could not be given on at once, but for the first look.
        guard isReadable, isWritable, isReleased else { return .wait }
        return isBulk && mayPipe ? .fill(Limit.pipeBytes) : .receive
    }

    /// What taking from the source came to; false when the source failed.
    mutating func took(_ transfer: Transfer, intoPipe: Bool) -> Bool {
        switch transfer {
        case .bytes(let count):
            held = count
            usesPipe = intoPipe
            // A full chunk asks for a pipe, a nearly empty pipe for a chunk.
            isBulk = intoPipe ? count > Limit.chunkBytes / 4 : count >= Limit.chunkBytes
        case .blocked: isReadable = false
        case .ended: sourceEnded = true
        case .failed: return false
        }
        return true
    }

    /// Bytes that were taken otherwise, to look at them, wait to be sent.
    mutating func hold(_ count: Int) { held = count }

    /// What giving to the sink came to; false when the sink failed.
    mutating func gave(_ transfer: Transfer) -> Bool {
        switch transfer {
        case .bytes(let count):
            held -= count
            moved += UInt64(count)
        case .blocked: isWritable = false
        case .ended, .failed: return false
        }
        return true
    }

    /// The sink was told that nothing more will come.
    mutating func finished() { isDone = true }
}
