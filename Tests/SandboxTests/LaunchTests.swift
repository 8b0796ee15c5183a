import Glibc
import Kernel
import Testing

@testable import Sandbox

// One at a time: each counts the processes of the one user they all have.
@Suite(.serialized, .enabled(if: Host.canLaunch, Host.reason)) struct LaunchTests {
    @Test func `a command runs and its exit status comes back`() throws {
        let outcome = try Confined().run(Confined.plan(["/bin/sh", "-c", "echo hello; exit 7"]))
        #expect(outcome.output == "hello\n")
        guard case .started(let landlock) = outcome.reports.first else {
            throw outcome.failure ?? SandboxError(step: "start", cause: "\(outcome.reports)")
        }
        #expect(landlock > 0)
        #expect(Array(outcome.reports.dropFirst()) == [.exited(status: 7, signal: 0)])
    }

    @Test func `addresses are limited when a policy asks, and only then`() throws {
        let reserve = "import mmap; mmap.mmap(-1, 1 << 30); print('reserved')"
        var plan = Confined.plan(["/usr/bin/python3", "-c", reserve])
        #expect(try Confined().run(plan).output == "reserved\n")
        plan.addressBytes = 512 << 20
        let outcome = try Confined().run(plan)
        #expect(outcome.output.isEmpty && outcome.errors.contains("Cannot allocate memory"))
    }

    /// Why corrald looks at what all processes of a sandbox use together.
    @Test func `a limit on each process's CPU time does not hold for its children together`() throws
    {
        let burn = """
            import os, time
            for _ in range(4):
                if os.fork() == 0:
                    while time.process_time() < 0.6: pass
                    os._exit(0)
                os.wait()
            print(sum(os.times()[2:4]) > 2)
            """
        var plan = Confined.plan(["/usr/bin/python3", "-c", burn])
        plan.cpuSeconds = 1
        #expect(try Confined().run(plan).output == "True\n")
    }

    @Test func `it reads its input to the end`() throws {
        #expect(
            try Confined().run(Confined.plan(["cat"]), input: "one line\n").output.isEmpty == false)
    }

    @Test func `a command that is not there fails at execute and says so`() throws {
        let outcome = try Confined().run(Confined.plan(["/usr/bin/no-such-command"]))
        #expect(outcome.failure?.step == "execute")
        #expect(outcome.failure?.errno == ENOENT)
    }

    @Test func `it is user 1000 inside, itself outside, and has no capability`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/bin/sh", "-c",
                "id -u; id -g; cat /proc/self/uid_map; grep -E '^(Cap|NoNew|Seccomp|Groups)' /proc/self/status",
            ]))
        #expect(outcome.output.hasPrefix("1000\n1000\n"))
        #expect(outcome.output.contains("1000 \(Confined.uid)          1"))
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(outcome.output.contains("\(set):\t0000000000000000\n"))
        }
        #expect(outcome.output.contains("NoNewPrivs:\t1\n"))
        #expect(outcome.output.contains("Seccomp:\t2\n"))
        #expect(outcome.output.contains(try "Seccomp_filters:\t\(Confined.filters())\n"))
        #expect(outcome.output.contains("Groups:\t \n") || outcome.output.contains("Groups:\t\n"))
    }

    @Test func `it sees only the listed trees and its own processes`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/bin/sh", "-c",
                "echo /*; echo /etc/*; echo /proc/[0-9]*; ls /proc | grep -v '[0-9]'",
            ]))
        let lines = outcome.output.split(separator: "\n").map(String.init)
        let roots = try #require(lines.first).split(separator: " ").map(String.init)
        #expect(
            Set(roots).isSubset(of: [
                "/bin", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
                "/proc", "/sbin", "/scratch", "/tmp", "/usr",
            ]))
        #expect(lines[1] == "/etc/group /etc/hosts /etc/nsswitch.conf /etc/passwd")
        #expect(lines[2].split(separator: " ").count <= 3)
        #expect(!lines.contains("sys") && !lines.contains("kcore"))
    }

    @Test func `it can write its scratch and nothing else`() throws {
        let script = """
            for d in / /usr /etc /dev /opt/card /proc /scratch /home; do
              (echo x > $d/probe) 2>/dev/null && echo "wrote $d"
            done
            echo x > /tmp/a && echo x > /home/tool/b && echo x > /dev/shm/c && echo scratch
            """
        #expect(try Confined().run(Confined.plan(["/bin/sh", "-c", script])).output == "scratch\n")
    }

    @Test func `the scratch ends where its size says`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/bin/sh", "-c",
                "for i in 0 1 2 3 4 5 6 7 8 9; do head -c 1000000 /dev/zero > /tmp/$i || exit 3; done",
            ]))
        #expect(outcome.status == 3)
        #expect(outcome.errors.contains("No space left"))
    }

    @Test func `it has no way to a network, not even its own loopback's addresses`() throws {
        let script =
            "import socket\ns=socket.socket()\ns.settimeout(2)\nprint(s.connect_ex(('127.0.0.1',1)), s.connect_ex(('10.0.0.1',1)))"
        let outcome = try Confined().run(Confined.plan(["/usr/bin/python3", "-c", script]))
        // Landlock answers first where it knows TCP (ABI 4); behind it there is no route either.
        let stopped = ["\(EACCES) \(EACCES)\n", "\(ENETUNREACH) \(ENETUNREACH)\n"]
        #expect(stopped.contains(outcome.output))
    }

    @Test func `without Landlock there is still no route to anywhere`() throws {
        let script =
            "import socket\ns=socket.socket()\ns.settimeout(2)\n"
            + "print(s.connect_ex(('127.0.0.1',1)), s.connect_ex(('10.0.0.1',1)))"
        var plan = Confined.plan(["/usr/bin/python3", "-c", script])
        plan.withoutLandlock = true
        #expect(try Confined().run(plan).output == "\(ENETUNREACH) \(ENETUNREACH)\n")
    }

    @Test func `a tree mounted writable by mistake is still closed by Landlock`() throws {
        // The mount is writable and the plan does not say so: only the second wall is left.
        // Not below /tmp, all of which the tool may write.
        let place = "/var/tmp/corral-test-tree-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(place, mode: 0o777)
        try Files.setMode(place, 0o777)
        defer { do { try Files.removeTree(place) } catch { Issue.record("left: \(error)") } }
        for (without, written) in [(false, "no\n"), (true, "yes\n")] {
            var trees = Trees()
            trees.append(try Tree(cloning: Tree.openDirectory(place)))
            var plan = Confined.plan([
                "/bin/sh", "-c", "(echo x > \(place)/f) 2>/dev/null && echo yes || echo no",
            ])
            plan.trees = [.init(path: place, writable: false)]
            plan.withoutLandlock = without
            #expect(try Confined(mountPoints: [place]).run(plan, trees: trees).output == written)
        }
    }

    @Test func `a tree that the plan calls writable can be written`() throws {
        let place = "/tmp/corral-test-tree-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(place, mode: 0o700)
        defer { do { try Files.removeTree(place) } catch { Issue.record("left: \(error)") } }
        let tree = try Tree(cloning: Tree.openDirectory(place))
        try tree.restrict(readOnly: false)
        try tree.mapOwner(disk: (0, 0), to: (Confined.uid, Confined.uid))
        var trees = Trees()
        trees.append(tree)
        var plan = Confined.plan(["/bin/sh", "-c", "echo mine > \(place)/f && echo done"])
        plan.trees = [.init(path: place, writable: true)]
        #expect(try Confined().run(plan, trees: trees).output == "done\n")
        #expect(try Files.text(place + "/f") == "mine\n")
        #expect(try Files.status(place + "/f")?.uid == 0)
    }

    @Test func `it has a time namespace of its own`() throws {
        let outcome = try Confined().run(
            Confined.plan(["/bin/sh", "-c", "readlink /proc/self/ns/time"]))
        let own = try #require(try Files.linkTarget("/proc/self/ns/time"))
        #expect(outcome.output.hasPrefix("time:[") && outcome.output != own + "\n")
    }

    @Test func `opening its standard output anew works, as scripts do it`() throws {
        let outcome = try Confined().run(
            Confined.plan(["/bin/sh", "-c", "echo one > /dev/stdout; echo two > /dev/stderr"]))
        #expect(outcome.output == "one\n" && outcome.errors == "two\n")
    }

    @Test func `only descriptors 0, 1 and 2 are open`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/bin/sh", "-c", "ls -l /proc/self/fd | wc -l; readlink /proc/self/fd/0",
            ]))
        // total, 0, 1, 2 and ls's own directory
        #expect(outcome.output.hasPrefix("5\n"))
    }

    @Test func `everything it started dies with it`() throws {
        let outcome = try Confined().run(
            Confined.plan(["/bin/sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 <&- & echo started"])
        )
        #expect(outcome.output == "started\n")
        #expect(try processes(of: Confined.uid).isEmpty)
    }

    @Test func `a signal that ends the tool is named`() throws {
        let outcome = try Confined().run(Confined.plan(["/bin/sh", "-c", "kill -9 $$"]))
        #expect(outcome.reports.last == .exited(status: -1, signal: SIGKILL))
    }

    @Test func `the filter holds`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/usr/bin/python3", "-c",
                "import ctypes;l=ctypes.CDLL(None,use_errno=True);print(l.mount(b'a',b'/tmp',b'tmpfs',0,None),ctypes.get_errno())",
            ]))
        #expect(outcome.output == "-1 \(EPERM)\n")
    }

    @Test func `the limits on files and descriptors hold`() throws {
        let outcome = try Confined().run(
            Confined.plan(["/bin/sh", "-c", "ulimit -n; ulimit -c; ulimit -t; ulimit -f"]))
        #expect(outcome.output == "64\n0\n20\n2048\n")
    }

    @Test(.enabled(if: Host.mayLowerScores, "needs CAP_SYS_RESOURCE"))
    func `it cannot make itself the last that the kernel kills for memory`() throws {
        let outcome = try Confined().run(
            Confined.plan([
                "/bin/sh", "-c",
                "for s in 499 0 -1000; do echo $s > /proc/self/oom_score_adj; done; cat /proc/self/oom_score_adj",
            ]))
        #expect(outcome.output == "500\n")
    }

    @Test func `what the host mounts later does not appear in a tree`() throws {
        let place = "/var/tmp/corral-test-shared-\(getpid())-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(place, mode: 0o755)
        #expect(unsafe mount("test", place, "tmpfs", 0, nil) == 0)
        defer {
            // With all that is mounted in it.
            #expect(unsafe umount2(place, Int32(MNT_DETACH)) == 0)
            do { try Files.removeDirectory(place) } catch { Issue.record("left: \(error)") }
        }
        #expect(unsafe mount(nil, place, nil, UInt(MS_SHARED), nil) == 0)
        for name in ["/policy", "/user", "/policy/later", "/user/later"] {
            try Files.makeDirectory(place + name, mode: 0o755)
        }
        let confined = try Confined(read: ["/usr", place + "/policy"])
        let tree = try Tree(cloning: Tree.openDirectory(place + "/user"))
        try tree.restrict(readOnly: true)
        var trees = Trees()
        trees.append(tree)
        var plan = Confined.plan(["/bin/sh", "-c", "read go; ls \(place)/*/later /tmp/user/later"])
        plan.trees = [.init(path: "/tmp/user", writable: false)]
        for name in ["/policy/later", "/user/later"] {
            #expect(unsafe mount("test", place + name, "tmpfs", 0, nil) == 0)
            try Files.create(place + name + "/appeared", mode: 0o644, text: "")
        }
        let outcome = try confined.run(plan, input: "go\n", trees: trees)
        #expect(outcome.status == 0)
        #expect(!outcome.output.contains("appeared"))
    }

    /// Processes of a uid, by /proc.
    private func processes(of uid: UInt32) throws -> [String] {
        try Files.names(in: "/proc").filter { $0.allSatisfy(\.isNumber) }.filter { pid in
            guard let status = try Files.status("/proc/" + pid) else { return false }
            return status.uid == uid
        }
    }
}
