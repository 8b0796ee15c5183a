import Kernel
import Sandbox

/// The three pipes of a server: the tool's ends and the broker's.
struct ServerPipes: ~Copyable {
    let theirs: Streams
    private let broker: BrokerEnds

    init() throws(KernelError) {
        let input = try Pipe()
        let output = try Pipe()
        let errors = try Pipe()
        // Nothing can fail from here on.
        let (inputRead, inputWrite) = input.release()
        let (outputRead, outputWrite) = output.release()
        let (errorsRead, errorsWrite) = errors.release()
        theirs = Streams(
            input: Descriptor(owning: inputRead), output: Descriptor(owning: outputWrite),
            errors: Descriptor(owning: errorsWrite))
        broker = BrokerEnds(
            input: Descriptor(owning: inputWrite), output: Descriptor(owning: outputRead),
            errors: Descriptor(owning: errorsRead))
    }

    /// Keeps the broker's ends and closes the tool's.
    consuming func ours() -> BrokerEnds { broker }
}
