import Kernel

/// A pipe that bytes go through on their way from one socket to another.
final class PipeBox {
    let pipe: Pipe

    init() throws(KernelError) {
        pipe = try Pipe()
        do throws(KernelError) {
            try pipe.setCapacity(Limit.pipeBytes)
        } catch {
            // The user's pipes hold much already: this one moves less at a time.
        }
    }
}

/// Pipes, each with one connection only while bytes of it are in there.
struct Pipes {
    private var idle: [PipeBox] = []
    private var made = 0

    /// An empty pipe; nil when there are enough, or no more can be had.
    mutating func take() -> PipeBox? {
        if let pipe = idle.popLast() { return pipe }
        guard made < Limit.pipes else { return nil }
        do throws(KernelError) {
            let pipe = try PipeBox()
            made += 1
            return pipe
        } catch {
            // Out of descriptors: bytes go through a buffer.
            return nil
        }
    }

    /// Takes one back; `isEmpty` is false when bytes were left in it, which nobody else may get.
    mutating func give(_ pipe: PipeBox, isEmpty: Bool) {
        if isEmpty, idle.count < Limit.idlePipes { idle.append(pipe) } else { made -= 1 }
    }
}
