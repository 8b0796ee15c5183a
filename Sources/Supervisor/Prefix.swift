import Configuration
import Kernel
import Policy
import RunCards
import Sandbox
import SupervisorProtocol

/// Where a card's packages are: `prefixes/CARD-DIGEST/` with the lock they were made from and the
/// tree itself.
struct Prefix: Equatable {
    /// The directory name.
    let name: String
    /// The finished directory.
    let directory: String
    /// What it is called while it is being made.
    let partial: String
    /// What the packages were installed from.
    let lock: String

    /// The tree that sandboxes see.
    var root: String { directory + "/root" }

    init(card: String, lock: String, instance: borrowing Instance) {
        name = card + "-" + Self.digest(lock)
        directory = instance.prefixes + "/" + name
        partial = instance.installing + "/" + name
        self.lock = lock
    }

    /// Whether it is there, made from exactly this lock.
    func isInstalled() throws(KernelError) -> Bool {
        guard try Files.status(directory + "/lock") != nil else { return false }
        // The name is a short digest; the text decides.
        return try Files.text(directory + "/lock", limit: 1 << 20) == lock
    }

    /// FNV-1a, 64 bits: for a name only, the text is compared.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}
