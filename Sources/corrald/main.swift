import Configuration
import Glibc
import Kernel
import Supervisor
import YAML

/// The whole command line: one optional file.
func settingsPath(_ arguments: [String]) -> String? {
    switch arguments.count {
    case 0: Settings.standardPath
    case 2 where arguments[0] == "--config": arguments[1]
    default: nil
    }
}

/// Says why on standard error and ends with the exit code of sysexits(3).
func fail(_ message: String, _ code: CInt) -> Never {
    Diagnostics.line(message)
    exit(code)
}

guard let path = settingsPath(Array(CommandLine.arguments.dropFirst())) else {
    fail("usage: corrald [--config FILE]", EX_USAGE)
}
do throws(KernelError) {
    try UnifiedGroup.moveToScope(arguments: Array(CommandLine.arguments.dropFirst()))
} catch {
    fail("corrald: cannot start 'corrald': delegate: \(error)", EX_OSERR)
}
do throws(Mistakes) {
    let settings = try Settings.load(path, .owners)
    let set = try PolicySet.load(
        policies: settings.policies, runcards: settings.runcards, .owners)
    do throws(SupervisorError) {
        try Supervisor(settings, set: set).run()
    } catch {
        fail("corrald: \(error)", EX_OSERR)
    }
} catch {
    fail("corrald: cannot use its configuration\n\(error)", EX_CONFIG)
}
