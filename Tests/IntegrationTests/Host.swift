import Glibc
import Kernel

/// What this machine must have for tests with real sandboxes, and where things are.
enum Host {
    /// The repository these tests were compiled from.
    static let top: String = {
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    }()

    /// The directory of the programs built beside these tests.
    static let built: String = {
        guard let path = try? System.executable(), let slash = path.lastIndex(of: "/") else {
            return "."
        }
        return String(path[..<slash])
    }()

    /// Why the tests with real sandboxes cannot run here; nil when they can.
    static let obstacle: String? = {
        if Identity.uid != 0 { return "skipped: sandboxes need root" }
        for program in ["corrald", "corral-broker", "corral-launch", "corral"]
        where !exists("\(built)/\(program)") {
            return "skipped: \(program) is not built (make build)"
        }
        if !exists("/usr/bin/python3") { return "skipped: no /usr/bin/python3" }
        return nil
    }()

    /// Prints the obstacle once and says whether there is none.
    static let canRunSandboxes: Bool = {
        if let obstacle { print("IntegrationTests \(obstacle)") }
        return obstacle == nil
    }()

    /// The Python of an SDK's environment, made by `make venvs`; nil when it is not there.
    static func sdkPython(_ version: String) -> String? {
        let python = "\(top)/.build-venvs/mcp-\(version)/bin/python"
        if exists(python) { return python }
        print("IntegrationTests skipped: no SDK \(version) in .build-venvs (make venvs)")
        return nil
    }

    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }
}

/// How long a test waits for something that must come; none of them measures time.
enum Patience {
    static let command = 90_000
    static let ready = 30_000
    /// The promise of one second, in looks a hundredth apart: a machine that is short of time for
    /// what is looked for is short of it for the looks as well.
    static let cleanupLooks = 100
    static let answer = 30_000
}

/// What a test cannot go on without.
struct HarnessError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Asks again until it is so or the patience is over.
func eventually(milliseconds: Int, _ isSo: () throws -> Bool) throws -> Bool {
    try look(isSo) { [deadline = System.monotonicMicroseconds + UInt64(milliseconds) * 1000] _ in
        System.monotonicMicroseconds <= deadline
    }
}

/// Asks again until it is so, as long as what has ended may still be there.
func withinASecond(_ isSo: () throws -> Bool) throws -> Bool {
    try look(isSo) { looks in looks < Patience.cleanupLooks }
}

private func look(_ isSo: () throws -> Bool, while mayGoOn: (_ looks: Int) -> Bool) throws -> Bool {
    // A poller that watches nothing: the kernel has no event for "the last process is gone".
    let poller = try Poller()
    var looks = 0
    while true {
        if try isSo() { return true }
        looks += 1
        guard mayGoOn(looks) else { return false }
        _ = try poller.wait(milliseconds: 10)
    }
}
