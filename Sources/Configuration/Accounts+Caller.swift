public import Kernel
public import Policy

extension Accounts {
    /// Who a user is to the access rules: the name, and the names of all groups.
    public func caller(_ uid: UInt32) -> Caller {
        let account = user(uid)
        return Caller(uid: uid, user: account.name, groups: groups(of: account).map(\.name))
    }
}
