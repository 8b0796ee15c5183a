import Policy
import RunCards
public import YAML

/// The kinds of file that an admin edits.
public enum FileKind: String, Sendable, CaseIterable {
    /// `corrald.yaml`.
    case settings
    /// A policy.
    case policy
    /// `access.yaml`.
    case access
    /// A system call profile.
    case profile = "system call profile"
    /// A run card.
    case card = "run card"
    /// A lock beside a card.
    case lock

    /// Tells the kind by the file's name and, for YAML, by its top-level keys.
    static func of(_ path: String, _ node: Node) -> FileKind {
        let has = { (keys: String...) in keys.contains { node[$0] != nil } }
        if has("entries") { return .profile }
        if has("command", "title", "settings", "credentials") { return .card }
        if has("allow", "deny") || path.hasSuffix("access.yaml") { return .access }
        if has("broker_user", "control_group", "sandbox_uids", "state", "runtime", "runcards")
            || path.hasSuffix("corrald.yaml")
        {
            return .settings
        }
        return .policy
    }

    /// Checks one file by itself, whoever wrote it; answers what it is.
    ///
    /// Throws every mistake at once. How it fits the other files is for `PolicySet.load`.
    public static func check(_ path: String) throws(Mistakes) -> FileKind {
        let bytes: [UInt8]
        do throws(Mistake) {
            bytes = try TrustedFile.read(path, .anybody)
        } catch {
            throw Mistakes([error])
        }
        if path.hasSuffix(".lock") {
            _ = try Lock.read(bytes, file: path)
            return .lock
        }
        let kind = of(path, try Parser.parse(bytes, file: path))
        switch kind {
        case .settings: _ = try Settings.read(bytes, file: path)
        case .policy: _ = try Policy.read(bytes, file: path)
        case .access: _ = try Access.read(bytes, file: path)
        case .profile: _ = try SyscallProfile.read(bytes, file: path)
        case .card: _ = try RunCard.read(bytes, file: path)
        case .lock: break
        }
        return kind
    }
}
