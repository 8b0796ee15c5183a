import Kernel
import Sandbox

/// The look from outside before a tool's first byte: what the kernel itself says of the process.
enum Posture {
    /// Compares /proc/PID/status (proc(5)) of a sandbox's pid 1 with what every sandbox must have.
    static func verify(pid: Int32, uid: UInt32) throws(SandboxError) {
        let text: String
        do throws(KernelError) {
            text = try Files.text("/proc/\(pid)/status")
        } catch {
            throw SandboxError(step: "verify", error)
        }
        let wrong = differences(text, uid: uid)
        guard wrong.isEmpty else {
            throw SandboxError(
                step: "verify",
                cause: "the kernel does not enforce \(wrong.joined(separator: ", "))",
                hint: "this must not happen: please report it with the output of 'corral doctor'")
        }
    }

    /// The pure part: names of fields whose value is not as it must be.
    static func differences(_ status: String, uid: UInt32) -> [String] {
        let none = "0000000000000000"
        let ids = Array(repeating: String(uid), count: 4).joined(separator: "\t")
        let wanted = [
            "Uid": ids, "Gid": ids, "Groups": "", "NoNewPrivs": "1", "Seccomp": "2",
            "CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
        ]
        var found: [String: String] = [:]
        for line in status.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            var value = parts[1].drop { $0 == "\t" || $0 == " " }
            while value.last == " " { value.removeLast() }
            found[String(parts[0])] = String(value)
        }
        return wanted.filter { found[$0.key] != $0.value }.keys.sorted()
    }
}
