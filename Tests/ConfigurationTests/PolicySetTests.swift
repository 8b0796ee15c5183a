import Configuration
import Kernel
import Policy
import RunCards
import Testing
import YAML

@Suite struct PolicySetTests {
    private static let card = "version: 1\nname: a\ntitle: A\ndescription: D\n"
    private static let hash = "--hash=sha256:" + String(repeating: "0a", count: 32)

    /// Writes a small correct set, changes it, loads it, and gives the mistakes relative to it.
    private func mistakes(
        _ change: (String) throws -> Void = { _ in }
    ) throws -> [String] {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/policies/syscalls", mode: 0o755)
            try Files.makeDirectories(directory + "/runcards", mode: 0o755)
            try write("version: 1\n", to: directory + "/policies/access.yaml")
            try write("version: 1\nname: default\n", to: directory + "/policies/default.yaml")
            try write(
                "version: 1\nname: default\nentries: []\n",
                to: directory + "/policies/syscalls/default.yaml")
            try write(
                Self.card
                    + "install: {pypi: [x==1], lock: a.lock}\ncommand: ['{prefix}/bin/x']\n",
                to: directory + "/runcards/a.yaml")
            try write("x==1 \(Self.hash)\n", to: directory + "/runcards/a.lock")
            try change(directory)
            do throws(Mistakes) {
                let set = try PolicySet.load(
                    policies: directory + "/policies", runcards: directory + "/runcards", .owners)
                #expect(set.narrowed["a"]?.name == "default")
                #expect(set.locks["a"]?.packages.count == 1)
                return []
            } catch {
                return error.all.map { $0.description.replacing(directory + "/", with: "") }
            }
        }
    }

    @Test func `a whole and consistent set is loaded`() throws {
        #expect(try mistakes() == [])
    }

    @Test func `files must fit each other`() throws {
        let found = try mistakes { directory in
            try write(
                "version: 1\nname: wide\nsyscalls: defalt\n",
                to: directory + "/policies/wide.yaml")
            try write(
                Self.card.replacing("name: a", with: "name: b")
                    + "policy: wid\ninstall: {pypi: [y==1], lock: b.lock}\ncommand: [x]\n",
                to: directory + "/runcards/b.yaml")
            try write(
                Self.card.replacing("name: a", with: "name: c")
                    + "install: {pypi: [y==1], lock: a.lock}\ncommand: [x]\n"
                    + "limits: {memory: 1GiB}\n",
                to: directory + "/runcards/c.yaml")
        }
        #expect(
            found == [
                "policies/wide.yaml:3:11: no profile is named 'defalt' (did you mean 'default'?)",
                "runcards/b.yaml:5:9: no policy is named 'wid' (did you mean 'wide'?)",
                "runcards/b.yaml:6:31: there is no file 'b.lock' beside the card "
                    + "(did you mean 'a.lock'?)",
                "runcards/c.yaml:5:18: 'y==1' is not in runcards/a.lock (make the lock again)",
                "runcards/c.yaml:7:18: 1GiB is above the 512MiB that policy 'default' grants "
                    + "(policies/default.yaml:1:1: limits.memory)",
            ])
    }

    @Test func `names are unique`() throws {
        let found = try mistakes { directory in
            try write("version: 1\nname: default\n", to: directory + "/policies/other.yaml")
            try write(Self.card + "command: [x]\n", to: directory + "/runcards/z.yaml")
        }
        #expect(found.count == 2)
        #expect(found[0].contains("other.yaml:1:1: a policy 'default' is already in"))
        #expect(found[1].contains("z.yaml:1:1: a run card 'a' is already in"))
    }

    @Test func `mistakes of all files come at once, and cause no false ones`() throws {
        let found = try mistakes { directory in
            try write("version: 1\nalow: []\n", to: directory + "/policies/access.yaml")
            try write("version: 1\n", to: directory + "/policies/default.yaml")
            try write("x=1\n", to: directory + "/runcards/a.lock")
            try write(
                "version: 1\nname: default\n", to: directory + "/policies/syscalls/default.yaml")
        }
        #expect(
            found.map { String($0.prefix(while: { $0 != "(" })) } == [
                "policies/access.yaml:2:1: unknown key 'alow' ",
                "policies/default.yaml:1:1: missing key 'name' ",
                "policies/syscalls/default.yaml:1:1: missing key 'entries' ",
                "runcards/a.lock:1:1: 'x=1' is not name==version",
                "runcards/a.lock:2:1: no package is pinned",
            ])
    }

    @Test func `files that cannot be trusted or are missing are named`() throws {
        let found = try mistakes { directory in
            try Files.remove(directory + "/policies/access.yaml")
            try Files.setMode(directory + "/runcards/a.yaml", 0o666)
            try Files.setMode(directory + "/policies/syscalls", 0o777)
            try write("version: 1\n", to: directory + "/runcards/b.yml")
        }
        #expect(found.count == 5)
        #expect(found[0].contains("access.yaml': open: No such file or directory"))
        // The profiles could not be read, so that the policy's is missing.
        #expect(found[1].contains("no profile is named 'default'"))
        #expect(found[2].contains("cannot trust 'policies/syscalls'"))
        #expect(found[3].contains("chmod go-w 'runcards/a.yaml'"))
        #expect(found[4].contains("b.yml:1:1: would be passed over"))
    }

    @Test func `one file is checked for what it is`() throws {
        try withTemporaryDirectory { directory in
            let texts: [(String, String, FileKind)] = [
                ("a.yaml", "version: 1\nname: p\n", .policy),
                ("access.yaml", "version: 1\n", .access),
                ("b.yaml", "version: 1\nname: s\nentries: []\n", .profile),
                ("c.yaml", Self.card + "command: [x]\n", .card),
                ("d.yaml", "version: 1\nbroker_user: x\n", .settings),
                ("e.lock", "x==1 \(Self.hash)\n", .lock),
            ]
            for (name, text, kind) in texts {
                // Anybody's file may be checked, whoever can write it.
                try write(text, to: directory + "/" + name, mode: 0o666)
                #expect(try FileKind.check(directory + "/" + name) == kind)
            }
            try write("version: 1\nname: p\nlimit: {}\n", to: directory + "/a.yaml")
            let error = #expect(throws: Mistakes.self) {
                try FileKind.check(directory + "/a.yaml")
            }
            #expect(error?.description.hasSuffix("(did you mean 'limits'?)") ?? false)
        }
    }
}
