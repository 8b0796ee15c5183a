import Glibc
import Kernel
import Testing

/// What this process has for a sandbox to inherit, should a wall be missing.
enum Surroundings {
    /// A key, a group and room for core files; none of it disturbs another test.
    static func prepare() throws {
        plantKey()
        // Not the group of anything: a sandbox that has it was not rid of its launcher's.
        var groups: [gid_t] = [12345]
        #expect(unsafe setgroups(groups.count, &groups) == 0)
        var unlimited = rlimit(rlim_cur: 0, rlim_max: rlim_t.max)
        #expect(unsafe setrlimit(__rlimit_resource_t(4), &unlimited) == 0)
    }

    /// How much the kernel spares what is started from here, when memory runs out.
    static func setScore(_ score: String) throws {
        try Files.write(score, to: "/proc/self/oom_score_adj")
    }

    /// Puts a key into this thread's session keyring, which a launcher started from it has too.
    private static func plantKey() {
        typealias Call = @convention(c) (CLong, CLong, CLong, CLong, CLong, CLong) -> CLong
        #if arch(x86_64)
            let (addKey, keyctl) = (248, 250)
        #else
            let (addKey, keyctl) = (217, 219)
        #endif
        // Glibc's syscall is variadic, which Swift does not import; on the architectures there are
        // it takes integers where a function of six integers has them.
        // The strings live until the call returns.
        guard let symbol = unsafe dlsym(nil, "syscall") else { return }
        let call = unsafe unsafeBitCast(symbol, to: Call.self)
        let (joinSession, sessionKeyring) = (1, -3)
        _ = call(keyctl, joinSession, 0, 0, 0, 0)
        unsafe "user".withCString { type in
            unsafe "corral-hostile".withCString { name in
                _ = call(
                    addKey, Int(bitPattern: type), Int(bitPattern: name), Int(bitPattern: name), 6,
                    sessionKeyring)
            }
        }
    }
}

/// A process of the host's with a sandbox's user; gone with this value.
final class Twin {
    let child: Child

    init(of uid: UInt32) throws {
        child = try Child.spawn(
            "/usr/bin/setpriv",
            arguments: ["--reuid", "\(uid)", "--clear-groups", "/bin/sleep", "1000"],
            environment: [], descriptors: [])
        // It is the user's from exec on; the file's owner says when.
        while try Files.text("/proc/\(child.pid)/comm") != "sleep\n" {
            guard try !child.reapable() else { throw KernelError("exec", "sleep", errno: ESRCH) }
        }
    }

    deinit {
        do { try child.end() } catch { Issue.record("left behind: \(error)") }
    }
}

/// A directory that everybody may write, with a device and a set-uid program of root's.
final class Trap {
    /// Not below /tmp, all of which a tool may write.
    let path = "/var/tmp/corral-test-place-\(getpid())-\(System.monotonicMicroseconds)"

    init() throws {
        try Files.makeDirectory(path, mode: 0o777)
        try Files.setMode(path, 0o777)
        let script = "mknod zero c 1 5; chmod 666 zero; cp /usr/bin/id .; chmod 4755 id"
        let made = try Child.spawn(
            "/bin/sh", arguments: ["-ec", "cd \(path); " + script],
            environment: ["PATH=/usr/bin:/bin"], descriptors: [])
        let poller = try Poller()
        try poller.add(made.pidfd.raw, token: 0)
        _ = try poller.wait(milliseconds: nil)
        #expect(try made.reap()?.status == 0)
    }

    deinit {
        do { try Files.removeTree(path) } catch { Issue.record("left behind: \(error)") }
    }

    func script(_ text: String) -> String {
        text.split(separator: "PLACE", omittingEmptySubsequences: false).joined(separator: path)
    }
}
