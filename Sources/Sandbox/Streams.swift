import Glibc
public import Kernel

/// The tool's ends of its three pipes.
public struct Streams: ~Copyable {
    /// What the tool reads.
    public let input: Descriptor
    /// What it writes.
    public let output: Descriptor
    /// What it complains on.
    public let errors: Descriptor

    /// Takes the three ends over.
    public init(
        input: consuming Descriptor, output: consuming Descriptor, errors: consuming Descriptor
    ) {
        self.input = input
        self.output = output
        self.errors = errors
    }

    /// Their numbers, in order.
    var raw: [CInt] { [input.raw, output.raw, errors.raw] }

    /// Gives what the tool writes to its user: opening /dev/stdout, as many scripts do, opens the
    /// pipe anew, by its owner's rights.
    func give(to uid: UInt32) throws(KernelError) {
        try output.setOwner(uid: uid, gid: uid)
        try errors.setOwner(uid: uid, gid: uid)
    }
}
