import CKernel
import Glibc

/// A detached mount (open_tree(2)): a piece of the file system that can be put into a sandbox.
public struct Tree: ~Copyable, Sendable {
    /// The mount's descriptor, for passing on.
    public let descriptor: Descriptor

    /// Clones what `source` refers to, with everything mounted below it.
    public init(cloning source: borrowing Descriptor) throws(KernelError) {
        let raw = source.raw
        descriptor = Descriptor(owning: try check("open_tree") { corral_clone_tree(raw) })
    }

    /// Takes set-uid bits and device files out of effect, and writing where asked; what is mounted
    /// on the host later does not appear in it.
    public borrowing func restrict(readOnly: Bool) throws(KernelError) {
        let raw = descriptor.raw
        _ = try check("mount_setattr") { corral_restrict_tree(raw, readOnly) }
    }

    /// Makes files of one owner on disk appear as another's, and new ones belong to the former
    /// (mount_setattr(2), MOUNT_ATTR_IDMAP). EINVAL where the file system cannot.
    public borrowing func mapOwner(
        disk: (uid: UInt32, gid: UInt32), to mapped: (uid: UInt32, gid: UInt32)
    ) throws(KernelError) {
        let raw = descriptor.raw
        _ = try check("mount_setattr", "idmap") {
            corral_map_tree(raw, disk.uid, disk.gid, mapped.uid, mapped.gid)
        }
    }

    /// Opens a directory for mounting with the rights that hold now: no symbolic link is followed
    /// anywhere in the path (openat2(2)).
    public static func openDirectory(_ path: String) throws(KernelError) -> Descriptor {
        let flags = O_RDONLY | CORRAL_O_DIRECTORY
        let resolve = CORRAL_RESOLVE_NO_SYMLINKS | CORRAL_RESOLVE_NO_MAGICLINKS
        return Descriptor(
            owning: try check("openat2", path) {
                unsafe corral_openat2(AT_FDCWD, path, flags, resolve)
            })
    }
}

extension Tree {
    /// Gives the ownership away: the caller closes the number.
    public consuming func release() -> CInt { descriptor.release() }
}
