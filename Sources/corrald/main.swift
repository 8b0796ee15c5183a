import Configuration
import Glibc
import Kernel
import Supervisor
import YAML

/// The command line.
struct Options {
    /// The settings' file.
    var config = Settings.standardPath
    /// The policies, when there is no settings' file.
    var policies: String?
    /// The socket of the one process that asks, when there is to be no broker.
    var link: CInt?

    /// Reads `--name value` pairs; nil when they make no sense.
    init?(_ words: [String]) {
        guard words.count.isMultiple(of: 2) else { return nil }
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = words[index + 1]
            switch words[index] {
            case "--config": config = value
            case "--policies": policies = value
            case "--run-fd":
                guard let number = CInt(value), number > 2 else { return nil }
                link = number
            default: return nil
            }
        }
        if policies != nil && link == nil { return nil }
    }

    /// The settings: of the file, or the standard ones around the policies that were named.
    func settings() throws(Mistakes) -> Settings {
        guard let policies else { return try Settings.load(config, .owners) }
        var settings = try Settings.read(Array("version: 1\n".utf8), file: "standard settings")
        settings.policies = policies
        return settings
    }

    /// The policies; a command without card needs no cards.
    func policySet(_ settings: Settings) throws(Mistakes) -> PolicySet {
        try PolicySet.load(
            policies: settings.policies, runcards: link == nil ? settings.runcards : nil, .owners)
    }
}

/// Says why on standard error and ends with the exit code of sysexits(3).
func fail(_ message: String, _ code: CInt) -> Never {
    Diagnostics.line(message)
    exit(code)
}

guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
    fail(
        "usage: corrald [--config FILE]\n"
            + "       corrald --run-fd N [--config FILE | --policies DIR]  (see corral run)",
        EX_USAGE)
}
do throws(KernelError) {
    try UnifiedGroup.moveToScope(arguments: Array(CommandLine.arguments.dropFirst()))
} catch {
    fail("corrald: cannot start 'corrald': delegate: \(error)", EX_OSERR)
}
do throws(Mistakes) {
    let settings = try options.settings()
    let set = try options.policySet(settings)
    do throws(SupervisorError) {
        if let link = options.link {
            try Supervisor.alone(settings, set: set, link: link).run()
        } else {
            try Supervisor(settings, set: set).run()
        }
    } catch {
        fail("corrald: \(error)", EX_OSERR)
    }
} catch {
    fail("corrald: cannot use its configuration\n\(error)", EX_CONFIG)
}
