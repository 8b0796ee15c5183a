import Glibc
import Kernel
import Sandbox

/// Mount namespaces of the dead, held a moment longer: the end of one waits for every processor,
/// and so would whoever waits for the sandbox's end. A zygote lets go of them when there is time.
final class Lingering {
    private var mounts: [CInt] = []

    /// Whether there are any.
    var isEmpty: Bool { mounts.isEmpty }

    /// Whether no more should be held.
    var isFull: Bool { mounts.count >= Limit.lingering }

    /// Holds one.
    func hold(_ namespace: consuming Descriptor) { mounts.append(namespace.release()) }

    /// Lets go of all, through a zygote if there is one.
    func letGo(through zygote: Template?) {
        zygote?.close(mounts)
        for raw in mounts { _ = close(raw) }
        mounts = []
    }

    deinit { letGo(through: nil) }
}
