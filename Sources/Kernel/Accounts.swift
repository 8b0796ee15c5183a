/// A user of this host.
public struct Account: Sendable, Equatable {
    /// The login name; the number in digits when the user has none.
    public var name: String
    /// The user.
    public var uid: UInt32
    /// The primary group.
    public var gid: UInt32

    /// Describes a user.
    public init(name: String, uid: UInt32, gid: UInt32) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }
}

/// A group of this host.
public struct Group: Sendable, Equatable {
    /// The group's name.
    public var name: String
    /// Its number.
    public var gid: UInt32
    /// Login names of those who have it as a supplementary group.
    public var members: [String]
}

/// Users and groups, from /etc/passwd and /etc/group (passwd(5), group(5)).
///
/// The name service switch is left alone: its modules would load foreign code into us. Users that
/// only a directory service knows are numbers here, without groups.
public struct Accounts: Sendable {
    /// The largest file that is read, in bytes.
    public static let fileBytes = 4 << 20
    private let users: [Account]
    private let groups: [Group]

    /// Reads both files.
    public init(
        passwd: String = "/etc/passwd", group: String = "/etc/group"
    ) throws(KernelError) {
        users = try Self.records(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = UInt32(fields[2]), let gid = UInt32(fields[3])
            else { return nil }
            return Account(name: String(fields[0]), uid: uid, gid: gid)
        }
        groups = try Self.records(group).compactMap { fields in
            guard fields.count >= 4, let gid = UInt32(fields[2]) else { return nil }
            let members = fields[3].split(separator: ",").map(String.init)
            return Group(name: String(fields[0]), gid: gid, members: members)
        }
    }

    /// The group of a user whose groups we do not know, the kernel's overflow gid: a number that
    /// equals the uid may be a group that the user is not in.
    public static let noGroup: UInt32 = 65534

    /// The user with a number; one that no file knows has the number as name and no group.
    public func user(_ uid: UInt32) -> Account {
        users.first { $0.uid == uid } ?? Account(name: String(uid), uid: uid, gid: Self.noGroup)
    }

    /// The user with a name.
    public func user(named name: String) -> Account? { users.first { $0.name == name } }

    /// Users whose number lies in a range.
    public func users(in range: Range<UInt32>) -> [Account] {
        users.filter { range.contains($0.uid) }
    }

    /// The group with a name.
    public func group(named name: String) -> Group? { groups.first { $0.name == name } }

    /// Every group a user is in, the primary one included; none for one that no file knows.
    public func groups(of user: Account) -> [Group] {
        guard users.contains(user) else { return [] }
        return groups.filter { $0.gid == user.gid || $0.members.contains(user.name) }
    }

    private static func records(_ path: String) throws(KernelError) -> [[Substring]] {
        try Files.text(path, limit: fileBytes).split(separator: "\n")
            .map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
}
