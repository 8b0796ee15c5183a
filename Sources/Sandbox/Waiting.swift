import Kernel

/// A sandbox that is confined already and waits to be told what to run; it ends when this goes.
public final class Waiting {
    private var socket: Descriptor?

    init(socket: consuming Descriptor) { self.socket = consume socket }

    /// Tells it, once. Its `started` or `failed` report comes on the status pipe.
    ///
    /// - Parameter plan: the one it was made with, with its uid and now with a command.
    public func run(_ plan: LaunchPlan, streams: borrowing Streams) throws(SandboxError) {
        guard let socket = socket.take(), let datagram = plan.datagram(groups: 0) else {
            throw SandboxError(
                step: "write-plan", cause: "the command or its environment is too long",
                hint: "see the limits of a command in the documents")
        }
        do throws(KernelError) {
            try streams.give(to: plan.uid)
            try Socket.send(datagram, descriptors: streams.raw, over: socket.raw)
        } catch {
            throw SandboxError(step: "send-plan", error)
        }
    }
}
