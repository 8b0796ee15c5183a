import Kernel
import RunCards
import Sandbox
import SupervisorProtocol

/// Opens a host directory for mounting as the user who asked could: what they may not read, their
/// tools cannot see; what they may not write, their tools cannot change.
enum UserDirectory {
    /// EINVAL and EOPNOTSUPP: the file system knows no id-mapped mounts.
    private static let unmappable: [Int32] = [22, 95]

    /// A detached mount of the directory in which the user's own files appear as the sandbox's.
    static func tree(
        _ directory: RunCard.Directory, of user: Account, groups: [Group], sandbox uid: UInt32
    ) throws(Refusal) -> Tree {
        do throws(KernelError) {
            // By descriptor from here on: a path that is swapped later changes nothing.
            let opened = try Identity.withFileRights(
                uid: user.uid, gid: user.gid, groups: groups.map(\.gid)
            ) { () throws(KernelError) in
                try Tree.openDirectory(directory.path)
            }
            let tree = try Tree(cloning: opened)
            try tree.restrict(readOnly: !directory.writable)
            do throws(KernelError) {
                try tree.mapOwner(disk: (user.uid, user.gid), to: (uid, uid))
            } catch  where Self.unmappable.contains(error.errno) && !directory.writable {
                // Unmapped, a read-only tree shows what everybody may read: less, never more.
            }
            return tree
        } catch {
            throw Refusal(
                code: .badSetting,
                message: "cannot mount '\(directory.path)': \(error.call): \(error.reason) "
                    + hint(error, user),
                errno: error.errno)
        }
    }

    private static func hint(_ error: KernelError, _ user: Account) -> String {
        switch error.errno {
        case 2: "(does the directory exist?)"
        case 13: "(user '\(user.name)' may not read it)"
        case 20: "(it is not a directory)"
        case 40: "(a symbolic link is in the path: give the real path)"
        default: "(is it on a file system that allows id-mapped mounts?)"
        }
    }
}
