import Kernel
import Sandbox

/// Network namespaces ready for the next sandbox: making and ending one costs more than all the
/// rest of a start.
///
/// Those without anything up come from the dead: nobody is in them when they come here and nobody
/// ever shares one, each is held here or by one sandbox. Another user's sandbox never gets one, so
/// that not even the kernel's counters in it can tell one user of another. Those with something in
/// them are made ahead and never used twice: the kernel remembers connections.
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
        /// Where the gateway listens in it.
        let listeners: SandboxNetwork.Listeners?

        init(_ network: consuming Descriptor?, listeners: SandboxNetwork.Listeners? = nil) {
            self.network = network
            self.listeners = listeners
        }

        /// Hands it over, once.
        func take() -> Descriptor? { network.take() }
    }

    private var entries: [Entry] = []
    /// What was made ahead, and of which kinds there is to be more.
    private var ahead: [SandboxNetwork] = []
    private var wanted: Set<SandboxNetwork.Kind> = []

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

    /// One for a sandbox: of a kind with something in it, or with nothing, of what the user had.
    mutating func lend(
        _ kind: SandboxNetwork.Kind?, to user: UInt32?
    ) throws(SandboxError) -> Loan {
        guard let kind else { return Loan(take(of: user)) }
        wanted.insert(kind)
        let network: SandboxNetwork
        if let index = ahead.firstIndex(where: { $0.kind == kind }) {
            network = ahead.remove(at: index)
        } else {
            network = try Self.make(kind)
        }
        return Loan(network.takeNamespace(), listeners: network.listeners)
    }

    private static func make(_ kind: SandboxNetwork.Kind) throws(SandboxError) -> SandboxNetwork {
        do throws(KernelError) {
            return try SandboxNetwork(kind)
        } catch {
            throw SandboxError(
                step: "network-rules", error,
                hint: "the kernel needs nf_tables, nft_chain_nat, nft_redir, nft_ct and nft_limit; "
                    + "see 'corral doctor'")
        }
    }

    /// A kind of which one more is to be made ahead; nil when there is enough of all.
    var missing: SandboxNetwork.Kind? {
        wanted.first { kind in ahead.count { $0.kind == kind } < Limit.networksAhead }
    }

    /// Makes one ahead; a failure is told by the start that then needs it.
    mutating func prepare(_ kind: SandboxNetwork.Kind) {
        do throws(SandboxError) {
            ahead.append(try Self.make(kind))
        } catch {
            wanted.remove(kind)
        }
    }

    /// Lets go of all.
    mutating func empty() {
        entries = []
        ahead = []
        wanted = []
    }
}
