internal import ArgumentParser
internal import Configuration
internal import Control
internal import Kernel

/// `corral doctor`: whether this host has what the policies and cards need.
struct DoctorCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this host offers, what is missing and how to get it.",
        discussion: """
            Needs no daemon. What only root can try is said to be so. The exit status is 1 when \
            something is missing that a policy or a card needs.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("The daemon's own file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The directory of policies.", valueName: "dir"))
    var policies: String?

    @Option(help: ArgumentHelp("The directory of run cards.", valueName: "dir"))
    var runcards: String?

    func run() throws {
        let setup = try Setup(config: config, policies: policies, runcards: runcards)
        let settings = setup.settings
        let host = HostProbe.facts(state: settings.state, uid: settings.sandboxUIDs.first)
        let socket = global.givenSocket ?? settings.controlSocket
        let findings =
            HostFindings.all(host) + setup.accounts
            + [setup.directories, setup.configuration, setup.socket(socket)]
        let diagnosis = Diagnosis(
            findings, set: setup.set, absent: setup.absent,
            disks: DiskNeeds(setup.set, host.cgroups.version))
        try answer(diagnosis.json) { DoctorText.lines(diagnosis, $0) }
        if !diagnosis.isWell { throw CommandFailure.told(.failed) }
    }
}
