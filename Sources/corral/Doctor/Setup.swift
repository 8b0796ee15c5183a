internal import Configuration
internal import Kernel
internal import Policy
internal import YAML

/// Looks at what was set up on this host: settings, files, users, the socket.
struct Setup {
    let settings: Settings
    /// The files; nil when they are not there or have mistakes.
    let set: PolicySet?
    /// About the files.
    let configuration: Finding

    /// Reads `corrald.yaml` and the directories it names, or those given instead of them.
    init(config: String?, policies: String?, runcards: String?) throws(Mistakes) {
        let path = config ?? Settings.standardPath
        var mistakes: [Mistake] = []
        var settings = try Settings.read(Self.standard, file: path)
        let isThere = Self.isThere(path)
        if isThere || config != nil {
            do throws(Mistakes) {
                settings = try Settings.load(path, .owners)
            } catch {
                mistakes = error.all
            }
        }
        self.settings = settings
        let directories = (policies ?? settings.policies, runcards ?? settings.runcards)
        guard isThere || policies != nil || Self.isThere(directories.0) else {
            set = nil
            configuration = Finding(
                .configuration, .warning, "no \(path): Corral is not set up here",
                remedy: "sudo make install PREFIX=/usr")
            return
        }
        var set: PolicySet?
        do throws(Mistakes) {
            // Files that are given by name need not be in force yet.
            set = try PolicySet.load(
                policies: directories.0, runcards: directories.1,
                policies == nil && runcards == nil ? .owners : .anybody)
        } catch {
            mistakes += error.all
        }
        self.set = set
        let places =
            policies == nil && runcards == nil
            ? "" : " --policies \(directories.0) --runcards \(directories.1)"
        configuration = Self.finding(mistakes, set, remedy: "corral policy check" + places)
    }

    /// What stands in `corrald.yaml` when nothing does.
    private static let standard = Array("version: 1\n".utf8)

    private static func isThere(_ path: String) -> Bool {
        do throws(KernelError) { return try Files.status(path) != nil } catch { return false }
    }

    private static func finding(
        _ mistakes: [Mistake], _ set: PolicySet?, remedy: String
    ) -> Finding {
        guard let first = mistakes.first else {
            return Finding(
                .configuration, .ok,
                "policies: \(set?.policies.count ?? 0), run cards: \(set?.cards.count ?? 0)")
        }
        let rest = mistakes.count > 1 ? " (and \(mistakes.count - 1) more)" : ""
        return Finding(
            .configuration, .missing, first.description + rest, remedy: remedy)
    }

    /// The paths that policies and cards name and that are not here.
    var absent: Set<String> {
        let policies = set?.policies.values.flatMap(Diagnosis.paths) ?? []
        let programs = set?.cards.values.flatMap(Diagnosis.program) ?? []
        return Set((policies + programs).filter { !Self.isThere($0) })
    }

    /// About users, groups and numbers.
    var accounts: [Finding] {
        do throws(KernelError) {
            let accounts = try Accounts()
            let subordinate =
                Self.isThere(Self.subordinate)
                ? try Files.text(Self.subordinate, limit: Accounts.fileBytes) : ""
            return AccountFindings.all(
                accounts, settings, lent: AccountFindings.lent(subordinate))
        } catch {
            return [.brokerUser, .egressUser, .controlGroup, .sandboxUsers].map {
                Finding($0, .missing, error.description, remedy: "chmod a+r /etc/passwd /etc/group")
            }
        }
    }

    /// Numbers that users may have processes run as (subuid(5)).
    private static let subordinate = "/etc/subuid"

    /// About the directories that corrald writes; what is not there it makes.
    var directories: Finding {
        do throws(KernelError) {
            for path in [settings.state, settings.runtime] {
                guard let found = try Files.status(path) else { continue }
                if found.uid != 0 || found.permissions & 0o022 != 0 {
                    return Finding(
                        .directories, .missing,
                        "\(path) belongs to \(found.uid) and has mode "
                            + String(found.permissions & 0o7777, radix: 8),
                        remedy: "sudo chown root:root \(path) && sudo chmod go-w \(path)")
                }
            }
            return Finding(.directories, .ok, "\(settings.state), \(settings.runtime)")
        } catch {
            return .untried(.directories)
        }
    }

    /// Whether the daemon listens.
    func socket(_ path: String) -> Finding {
        do throws(KernelError) {
            _ = try Socket.connect(to: path)
            return Finding(.socket, .ok, path)
        } catch {
            return Finding(
                .socket, .warning, "\(path): \(error.reason)",
                remedy: error.isMissing || error.isRefused
                    ? "sudo systemctl start corrald"
                    : "sudo usermod -aG \(settings.controlGroup) $USER; then log in again")
        }
    }
}

/// Judges users and groups. Pure.
enum AccountFindings {
    /// One finding for each account that Corral knows.
    static func all(
        _ accounts: Accounts, _ settings: Settings,
        lent: [(user: String, range: Range<UInt32>)] = []
    ) -> [Finding] {
        let group = settings.controlGroup
        return [
            user(.brokerUser, settings.brokerUser, accounts),
            user(.egressUser, settings.egressUser, accounts),
            accounts.group(named: group) != nil
                ? Finding(.controlGroup, .ok, group)
                : Finding(
                    .controlGroup, .warning, "no '\(group)': only root may use the socket",
                    remedy: "sudo groupadd --system \(group)"),
            sandboxUsers(accounts, settings.sandboxUIDs, lent),
        ]
    }

    private static func user(_ feature: Feature, _ name: String, _ accounts: Accounts) -> Finding {
        accounts.user(named: name) != nil
            ? Finding(feature, .ok, name)
            : Finding(
                feature, .warning, "no '\(name)': a number that nobody has stands in",
                remedy: "sudo useradd --system --user-group --shell /usr/sbin/nologin \(name)")
    }

    /// The lines of /etc/subuid: `user:first:count`.
    static func lent(_ text: String) -> [(user: String, range: Range<UInt32>)] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":")
            guard fields.count == 3, let first = UInt32(fields[1]), let count = UInt32(fields[2])
            else { return nil }
            let (end, isTooFar) = first.addingReportingOverflow(count)
            return (String(fields[0]), first..<(isTooFar ? .max : end))
        }
    }

    private static func sandboxUsers(
        _ accounts: Accounts, _ range: Settings.SandboxUIDs,
        _ lent: [(user: String, range: Range<UInt32>)]
    ) -> Finding {
        let last = range.first + range.count - 1
        if let other = lent.first(where: { $0.range.overlaps(range.first..<last + 1) }) {
            return Finding(
                .sandboxUsers, .missing,
                "/etc/subuid lends '\(other.user)' \(other.range.lowerBound) and more, numbers of "
                    + "sandboxes",
                remedy: "set sandbox_uids in corrald.yaml to numbers that nobody has")
        }
        let taken = accounts.users(in: range.first..<range.first + range.count)
        guard let first = taken.first else {
            return Finding(.sandboxUsers, .ok, "\(range.first) to \(last), which nobody has")
        }
        return Finding(
            .sandboxUsers, .missing, "user '\(first.name)' has \(first.uid), a sandbox's number",
            remedy: "set sandbox_uids in corrald.yaml to numbers that nobody has")
    }
}

extension KernelError {
    /// ECONNREFUSED: the socket's file is there, and nobody listens.
    fileprivate var isRefused: Bool { errno == 111 }
}
