import Kernel

/// Network namespaces of the dead, for the next sandbox of the same user: making and ending one
/// costs more than all the rest of a start.
///
/// Nobody is in them when they come here and nobody ever shares one: each is held here or by one
/// sandbox. Another user's sandbox never gets one, so that not even the kernel's counters in it can
/// tell one user of another.
struct NetworkPool {
    private final class Entry {
        let user: UInt32
        var network: Descriptor?

        init(user: UInt32, network: consuming Descriptor) {
            self.user = user
            self.network = consume network
        }
    }

    /// A namespace on its way into a sandbox, which closes when it does not get there.
    final class Loan {
        private var network: Descriptor?

        init(_ network: consuming Descriptor?) { self.network = network }

        /// Hands it over, once.
        func take() -> Descriptor? { network.take() }
    }

    private var entries: [Entry] = []

    /// A namespace that the user had; nil when there is none left.
    mutating func take(of user: UInt32?) -> Descriptor? {
        guard let user, let index = entries.lastIndex(where: { $0.user == user }) else {
            return nil
        }
        return entries.remove(at: index).network.take()
    }

    /// Keeps the namespace of a sandbox in which nothing is left; the oldest goes when there are
    /// too many.
    mutating func keep(_ network: consuming Descriptor, of user: UInt32) {
        entries.append(Entry(user: user, network: network))
        if entries.count > Limit.networks { entries.removeFirst() }
    }

    /// Lets go of all.
    mutating func empty() { entries = [] }
}
