internal import Kernel
internal import Policy

/// Names of users and groups, from /etc/passwd and /etc/group.
///
/// The name service switch is left alone: its modules would load foreign code into the broker.
struct Accounts {
    /// The users file.
    var passwd = "/etc/passwd"
    /// The groups file.
    var group = "/etc/group"

    /// Who a user is; one without a name is called by the number and has no groups.
    func caller(uid: UInt32) throws(KernelError) -> Caller {
        for fields in try records(passwd)
        where fields.count >= 4 && UInt32(fields[2]) == uid {
            let name = String(fields[0])
            return Caller(
                uid: uid, user: name,
                groups: try groups(of: name, primary: UInt32(fields[3])))
        }
        return Caller(uid: uid, user: String(uid), groups: [])
    }

    private func groups(of user: String, primary: UInt32?) throws(KernelError) -> [String] {
        var names: [String] = []
        for fields in try records(group) where fields.count >= 4 {
            let members = fields[3].split(separator: ",")
            if UInt32(fields[2]) == primary || members.contains(Substring(user)) {
                names.append(String(fields[0]))
            }
        }
        return names
    }

    private func records(_ path: String) throws(KernelError) -> [[Substring]] {
        try Files.text(path, limit: Limit.accountBytes).split(separator: "\n")
            .map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
}
