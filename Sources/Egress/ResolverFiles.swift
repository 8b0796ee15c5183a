import Glibc
public import Kernel

/// The host's resolver files, opened before the system call filter, which knows no open: when they
/// change they are read again through the same descriptors, and corrald is asked for new ones,
/// since who replaces a file by rename(2) leaves us the old one.
public final class ResolverFiles {
    private var resolvConf: Descriptor?
    private var hosts: Descriptor?
    /// Whether they have changed since corrald last gave them.
    private(set) var isStale = false
    private var known = ResolverSettings(resolvConf: "", hosts: "")
    private var looked: UInt64?
    private var stamps: [FileStatus?] = []

    /// Opens both; one that is not there is empty.
    public init(resolvConf: String, hosts: String) throws(KernelError) {
        self.resolvConf = try Self.open(resolvConf)
        self.hosts = try Self.open(hosts)
    }

    private static func open(_ path: String) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            return try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        } catch  where error.isMissing {
            return nil
        }
    }

    /// What they say, looked at again now and then.
    func settings(now: UInt64) -> ResolverSettings {
        if let looked, now < looked + Limit.filesInterval { return known }
        looked = now
        do throws(KernelError) {
            let found = [try resolvConf?.status(), try hosts?.status()]
            guard found != stamps else { return known }
            // The old file changes as well when it loses its name.
            isStale = !stamps.isEmpty
            known = ResolverSettings(resolvConf: try text(0), hosts: try text(1))
            stamps = found
        } catch {
            // Half written, or beyond the limit: what was known holds until it can be read.
        }
        return known
    }

    /// Takes other ones, as they are now.
    func replace(resolvConf: consuming Descriptor, hosts: consuming Descriptor) {
        self.resolvConf = consume resolvConf
        self.hosts = consume hosts
        stamps = []
        looked = nil
        isStale = false
    }

    /// Says once that corrald is to be asked for others.
    func takeStale() -> Bool {
        defer { isStale = false }
        return isStale
    }

    private func text(_ index: Int) throws(KernelError) -> String {
        let bytes =
            index == 0
            ? try resolvConf?.readFromStart(limit: Limit.filesBytes)
            : try hosts?.readFromStart(limit: Limit.filesBytes)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
