import Glibc
import JSONRPC
import Kernel
import Testing

extension IntegrationTests {
    /// `corral run` through a real daemon: any command in the sandbox that servers get.
    @Suite struct RunTests {
        private static let user: UInt32 = 65_534

        /// A Corral whose socket and `files` are open to a user who may run commands.
        private func corral(small: Bool = false) throws -> Corral {
            let corral = try Corral { etc in
                try Corral.letNoneWait(etc)
                let top = String(etc.dropLast("/etc".count))
                let access = """
                    version: 1
                    allow:
                      - {users: [root], run: ["*"], directories: [\(top)/files]}
                      - {users: ["*"], run: [small]}

                    """
                try Corral.write(access, to: etc + "/policies/access.yaml")
                let policy = """
                    version: 1
                    name: small
                    warm: 0
                    limits: {memory: {default: 64MiB, max: 64MiB}, processes: 12, cpu_time: 1s}

                    """
                try Corral.write(policy, to: etc + "/policies/small.yaml")
            }
            try Files.setMode(corral.socket, 0o666)
            try Files.setMode(corral.directory + "/run", 0o755)
            return corral
        }

        private func run(_ corral: Corral, _ words: String...) throws -> Output {
            try corral.corral(["run", "--policy", "default"] + words)
        }

        /// A shell line in which `run` is `corral run --policy default`.
        private func shell(_ corral: Corral, _ line: String) throws -> Output {
            let program = corral.directory + "/bin/corral"
            let run = "run() { \(program) --socket \(corral.socket) run --policy default \"$@\"; }"
            return try Command.run(
                ["/bin/sh", "-c", run + "\n" + line], files: corral.directory + "/shell")
        }

        /// What a user with nothing but a login has of `corral run`.
        private func asUser(_ corral: Corral, _ words: String...) throws -> Output {
            let user = String(Self.user)
            return try Command.run(
                [
                    "/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups",
                    "\(corral.directory)/bin/corral", "--socket", corral.socket, "run",
                ] + words, files: corral.directory + "/user")
        }

        /// Starts a command that lasts, and waits until it runs.
        private func start(
            _ corral: Corral, _ script: String, with program: String = "sh"
        ) throws -> Child {
            let child = try Command.start(
                [
                    "\(corral.directory)/bin/corral", "--socket", corral.socket, "run", "--policy",
                    "default", "--", program, "-c", script,
                ], files: corral.directory + "/lasting")
            let isUp = try eventually(milliseconds: Patience.ready) {
                try Files.text(corral.directory + "/lasting.out").hasPrefix("up\n")
            }
            guard isUp else {
                throw HarnessError(try Files.text(corral.directory + "/lasting.err"))
            }
            return child
        }

        private func isEmpty(_ corral: Corral) throws -> Bool {
            try withinASecond {
                try Traces(of: corral).sandboxed().isEmpty
            }
        }

        @Test func `the exit status is the command's own, or says why there is none`() throws {
            let corral = try corral()
            for (words, status) in [
                (["true"], 0), (["false"], 1), (["sh", "-c", "exit 7"], 7),
                (["sh", "-c", "kill -9 $$"], 137), (["sh", "-c", "kill -TERM $$"], 143),
                (["no-such-command"], 127), (["/usr"], 126), (["/etc/passwd"], 126),
            ] as [([String], CInt)] {
                let done = try corral.corral(["run", "--policy", "default", "--"] + words)
                #expect(done.status == status, "\(words): \(done.err)")
                #expect(done.err.isEmpty == (status < 126 || status > 127), "\(words): \(done.err)")
            }
            for words in [
                ["--policy", "none", "--", "true"], ["--policy", "default"], ["--", "true"],
                ["--policy", "default", "--mount", "/etc", "true"],
                ["--policy", "default", "--mount", "\(corral.directory)/none", "true"],
                ["--policy", "default", "--allow", "example.org", "true"],
            ] {
                let done = try corral.corral(["run"] + words)
                #expect(done.status == 125, "\(words): \(done.status) \(done.err)")
                #expect(done.err.hasPrefix("corral: "), "\(words): \(done.err)")
            }
        }

        @Test func `it is the sandbox that servers get`() throws {
            let corral = try corral()
            let status = try run(corral, "cat", "/proc/self/status")
            for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"] {
                #expect(status.out.contains(line), "\(line) in \(status.out)")
            }
            #expect(try run(corral, "ls", "/home", "/root", "/srv").status != 0)
            #expect(
                try run(corral, "sh", "-c", "id -un; ls -A ~; env").out.hasPrefix("tool\nUSER="))
            let network = try run(corral, "cat", "/proc/net/dev")
            #expect(!network.out.contains("eth0") && !network.out.contains("lo:"))
            let terminal = try run(corral, "sh", "-c", "exec 3<>/dev/tty")
            #expect(terminal.status != 0, "\(terminal.err)")
        }

        @Test func `bytes pass in and out whole, and a reader that leaves ends the writer`() throws
        {
            let corral = try corral()
            let copied = try shell(
                corral,
                """
                cd '\(corral.directory)/files' && head -c 20000000 /dev/urandom > in \
                && run -- cat < in > out && cmp in out && cat in | run -- cat | cmp - in
                """)
            #expect(copied.status == 0, "\(copied.err)")
            let head = try shell(
                corral, "{ run -- yes; echo $? >&2; } | head -1; run -- cat < /dev/null")
            #expect(head.out == "y\n" && head.err == "141\n", "\(head.out) \(head.err)")
            let closed = try shell(
                corral, "run -- sh -c 'cat; echo x' <&- >&-; run -- sh -c 'cat; echo y' <&-")
            #expect(closed.status == 0 && closed.out == "y\n", "\(closed.out) \(closed.err)")
        }

        @Test func `a limit that bites is named`() throws {
            let corral = try corral()
            func limited(_ script: String) throws -> Output {
                try corral.corral("run", "--policy", "small", "--", "python3", "-c", script)
            }
            let memory = try limited("b = bytearray(100 << 20)")
            #expect(memory.status == 137)
            #expect(
                memory.err == "corral: python3 ended by SIGKILL: memory_exceeded (64 MiB)\n")
            let time = try limited("while True: pass")
            #expect(time.status == 152)
            #expect(time.err.contains("ended by SIGXCPU: cpu_exceeded"), "\(time.err)")
            let forks = try limited(
                "import os, time\nfor _ in range(20):\n  if not os.fork(): time.sleep(9); break")
            #expect(forks.status == 1)
            #expect(forks.err.contains("pids_exceeded (12)"), "\(forks.err)")
        }

        @Test func `mounts are what they say, and a command starts where its user stands`() throws {
            let corral = try corral()
            let files = corral.directory + "/files"
            try Files.makeDirectory(files + "/in", mode: 0o755)
            let done = try shell(
                corral,
                "cd \(files)/in; run --mount . -- touch x; run --mount .:rw -- sh -c 'pwd > y'")
            #expect(done.err.contains("Read-only file system"), "\(done.err)")
            #expect(try Files.text(files + "/in/y") == files + "/in\n")
            #expect(try Files.status(files + "/in/y")?.uid == 0)
            #expect(try Files.status(files + "/in/x") == nil)
            let both = try run(
                corral, "--mount", files, "--mount", files + "/in:rw", "sh", "-c",
                "rm \(files)/in/y && ! touch \(files)/z")
            #expect(both.status == 0, "\(both.err)")
        }

        @Test func `another user runs what a rule gives, and sees what that user may`() throws {
            let corral = try corral()
            let refused = try asUser(corral, "--policy", "default", "--", "true")
            #expect(refused.status == 125)
            #expect(refused.err.contains("no rule of") && refused.err.contains("access.yaml"))
            let mine = corral.directory + "/files/mine"
            let private_ = corral.directory + "/files/private"
            try Files.makeDirectory(mine, mode: 0o700)
            try Files.setOwner(mine, uid: Self.user, gid: Self.user)
            try Files.makeDirectory(private_ + "", mode: 0o700)
            let wrote = try asUser(
                corral, "--policy", "small", "--mount", mine + ":rw", "--", "sh", "-c",
                "echo x > \(mine)/y")
            #expect(wrote.status == 0, "\(wrote.err)")
            #expect(try Files.status(mine + "/y")?.uid == Self.user)
            for path in [private_, "/root", "/etc/shadow"] {
                let denied = try asUser(corral, "--policy", "small", "--mount", path, "--", "true")
                let listed = denied.status == 125
                #expect(listed, "\(path): \(denied.out) \(denied.err)")
            }
        }

        @Test func `signals reach the command, all of it when they come from the keyboard`() throws
        {
            let corral = try corral()
            let trapped = try start(
                corral, "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.1; done")
            try trapped.signal(SIGTERM)
            #expect(try Command.wait(for: trapped, milliseconds: Patience.answer)?.status == 5)
            #expect(try Files.text(corral.directory + "/lasting.out").hasSuffix("got\n"))
            try Files.remove(corral.directory + "/lasting.out")
            // It ignores the key and waits for its child: only a signal to both ends it now.
            let waiting = try start(
                corral,
                """
                import signal, subprocess
                child = subprocess.Popen(["sleep", "1000"])
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                print("up", flush=True)
                raise SystemExit(44 if child.wait() == -2 else 45)
                """, with: "python3")
            try waiting.signal(SIGINT)
            #expect(try Command.wait(for: waiting, milliseconds: Patience.answer)?.status == 44)
            #expect(try isEmpty(corral))
        }

        /// The state letters of a Corral's sandboxed processes, pid 1 of each included (proc(5)).
        private func states(_ corral: Corral) throws -> [Character] {
            try Traces(of: corral).sandboxed().compactMap { pid in
                try Files.text("/proc/\(pid)/status").split(separator: "\n")
                    .first { $0.hasPrefix("State:") }?.dropFirst("State:\t".count).first
            }
        }

        @Test func `stop and continue reach every process, and corral itself stops`() throws {
            let corral = try corral()
            let lasting = try start(corral, "sleep 1000 & echo up; sleep 1000")
            try lasting.signal(SIGTSTP)
            let isStopped = try eventually(milliseconds: Patience.answer) {
                // The shell and its children; the second may not be there yet, and pid 1 goes on.
                let states = try states(corral)
                return states.count >= 3 && states.count { $0 == "T" } == states.count - 1
            }
            #expect(isStopped)
            try lasting.signal(SIGCONT)
            let goesOn = try eventually(milliseconds: Patience.answer) {
                try !states(corral).contains("T")
            }
            #expect(goesOn)
            try lasting.signal(SIGTERM)
            #expect(try Command.wait(for: lasting, milliseconds: Patience.answer)?.status == 143)
        }

        @Test func `who may run what is told before it is tried`() throws {
            let corral = try corral()
            let root = try corral.corral("--json", "whoami")
            #expect(try root.json()["run"] == ["default", "small"])
            #expect(try corral.corral("whoami").out.contains("default, small"))
        }

        @Test func `what a command leaves behind ends with it`() throws {
            let corral = try corral()
            let done = try run(
                corral, "sh", "-c",
                "setsid sleep 1000 & setsid sleep 1000 </dev/null >/dev/null 2>&1 &")
            #expect(done.status == 0)
            #expect(try isEmpty(corral))
        }

        @Test(arguments: ["client", "corral-broker", "corrald", "pid 1"])
        func `kill -9 during a run leaves nothing`(victim: String) throws {
            let corral = try corral()
            var traces = Traces(of: corral)
            let child = try start(corral, "echo up; sleep 1000 & sleep 1000")
            let counts = try traces.look()
            try #require(counts.cgroups > 0 && counts.namespaces > 0, "not seen: \(counts)")
            switch victim {
            case "client": try child.signal(SIGKILL)
            case "pid 1":
                for pid in try traces.sandboxed() { kill(pid, SIGKILL) }
            default: #expect(kill(try traces.pid(of: victim), SIGKILL) == 0)
            }
            let ending = try Command.wait(for: child, milliseconds: Patience.answer)
            switch victim {
            case "client": #expect(ending?.signal == SIGKILL)
            case "pid 1": #expect(ending?.status == 137)
            default: #expect(ending?.status == 125)
            }
            #expect(try isEmpty(corral))
            victim == "corrald" ? try corral.killSupervisor() : try corral.stop()
            #expect(try traces.settled() == .none)
        }

        @Test func `many at once run and leave nothing`() throws {
            let corral = try corral()
            var traces = Traces(of: corral)
            let done = try shell(
                corral,
                """
                i=0; while [ $i -lt 30 ]; do i=$((i + 1))
                run -- sh -c "sleep 0.2; echo $i" >> '\(corral.directory)/many' & done; wait
                sort -n '\(corral.directory)/many'
                """)
            #expect(done.out == (1...30).map { "\($0)\n" }.joined(), "\(done.err)")
            _ = try traces.look()
            try corral.stop()
            #expect(try traces.settled() == .none)
        }

        @Test func `a client that does not read holds its command up, and nobody else`() throws {
            let corral = try corral()
            let stuck = try shell(
                corral,
                """
                run -- head -c 1G /dev/zero | { \
                run -- echo beside; }
                """)
            #expect(stuck.out == "beside\n", "\(stuck.err)")
            #expect(try isEmpty(corral))
        }

        /// The same without a daemon.
        private func alone(_ corral: Corral, _ words: String...) throws -> Output {
            try Command.run(
                [
                    "\(corral.directory)/bin/corral", "run", "--standalone", "--config",
                    "\(corral.directory)/etc/corrald.yaml", "--policy", "small",
                ] + words, files: corral.directory + "/alone")
        }

        /// Whether nothing but the directory is left of commands without a daemon.
        private func isSwept(_ corral: Corral) throws -> Bool {
            try withinASecond {
                try Files.names(in: corral.directory + "/run-run").allSatisfy {
                    $0.hasSuffix(".lock")
                }
            }
        }

        @Test func `root needs no daemon, and no rule for what it mounts`() throws {
            let corral = try corral()
            try corral.stop()
            let outside = corral.directory + "/outside"
            try Files.makeDirectory(outside, mode: 0o700)
            let wrote = try alone(
                corral, "--mount", outside + ":rw", "sh", "-c", "echo x > \(outside)/y; exit 9")
            #expect(wrote.status == 9, "\(wrote.err)")
            #expect(wrote.err.isEmpty, "\(wrote.err)")
            #expect(try Files.text(outside + "/y") == "x\n")
            #expect(try alone(corral, "no-such-command").status == 127)
            #expect(try alone(corral, "--mount", "/etc", "true").status == 125)
            let memory = try alone(corral, "python3", "-c", "b = bytearray(100 << 20)")
            #expect(memory.status == 137)
            #expect(memory.err.contains("memory_exceeded (64 MiB)"), "\(memory.err)")
            #expect(try isSwept(corral))
            let status = try alone(corral, "cat", "/proc/self/status")
            for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"] {
                #expect(status.out.contains(line), "\(line) in \(status.out)")
            }
            let refused = try asUser(
                corral, "--standalone", "--config", "\(corral.directory)/etc/corrald.yaml",
                "--policy", "small", "true")
            #expect(refused.status == 125)
            #expect(refused.err.contains("it must run as root"), "\(refused.err)")
        }

        @Test func `commands without a daemon never share a user, with each other or a daemon's`()
            throws
        {
            let corral = try corral()
            let program = corral.directory + "/bin/corral"
            let done = try Command.run(
                [
                    "/bin/sh", "-c",
                    """
                    one() { \(program) run --standalone --policy small \
                    --config \(corral.directory)/etc/corrald.yaml -- \
                    sh -c 'cat /proc/self/uid_map; cat'; }
                    two() { \(program) --socket \(corral.socket) run --policy small -- \
                    sh -c 'cat /proc/self/uid_map; cat'; }
                    sleep 5 | one & sleep 5 | one & sleep 5 | two & wait
                    """,
                ], files: corral.directory + "/several")
            let users = done.out.split(separator: "\n").compactMap {
                $0.split(separator: " ").dropFirst().first.flatMap { UInt32($0) }
            }
            #expect(users.count == 3 && Set(users).count == 3, "\(done.out) \(done.err)")
            #expect(users.allSatisfy(corral.users.contains), "\(users)")
            #expect(try isSwept(corral))
        }

        @Test(arguments: ["corral", "corrald", "pid 1"])
        func `kill -9 without a daemon leaves nothing`(victim: String) throws {
            let corral = try corral()
            try corral.stop()
            var traces = Traces(of: corral)
            let child = try Command.start(
                [
                    "\(corral.directory)/bin/corral", "run", "--standalone", "--config",
                    "\(corral.directory)/etc/corrald.yaml", "--policy", "small", "--", "/bin/sh",
                    "-c", "echo up; sleep 1000 & sleep 1000",
                ], files: corral.directory + "/lasting")
            let isUp = try eventually(milliseconds: Patience.ready) {
                try Files.text(corral.directory + "/lasting.out").hasPrefix("up\n")
            }
            let errors = try Files.text(corral.directory + "/lasting.err")
            try #require(isUp, "\(errors)")
            let counts = try traces.look()
            try #require(counts.cgroups > 0 && counts.namespaces > 0, "not seen: \(counts)")
            switch victim {
            case "corral": try child.signal(SIGKILL)
            case "pid 1": for pid in try traces.sandboxed() { kill(pid, SIGKILL) }
            default: #expect(kill(try traces.pid(of: victim), SIGKILL) == 0)
            }
            let ending = try Command.wait(for: child, milliseconds: Patience.answer)
            let status: CInt = victim == "corral" ? -1 : victim == "pid 1" ? 137 : 125
            #expect(ending?.status == status)
            #expect(try traces.settled() == .none)
            #expect(try isSwept(corral))
        }
    }
}
