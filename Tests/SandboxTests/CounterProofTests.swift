import Glibc
import Kernel
import Testing

@testable import Policy
@testable import Sandbox

/// Each wall, by an attack from Tests/Hostile that only it stops: a test of a wall that would pass
/// without the wall tests nothing.
@Suite(.serialized, .enabled(if: Host.canLaunch && Bait.shared != nil, Host.reason))
struct CounterProofTests {
    @Test(arguments: CounterProof.here)
    func `an attack is stopped by its wall and succeeds without it`(proof: CounterProof) throws {
        try prove(proof)
    }

    @Test(.enabled(if: Host.mayLowerScores, "needs CAP_SYS_RESOURCE"))
    func `no tool is spared when memory runs out, not even by a supervisor who is`() throws {
        for proof in CounterProof.all where proof.needs.contains(.lowScore) { try prove(proof) }
    }

    private func prove(_ proof: CounterProof) throws {
        let with = try Trial(proof, without: proof.away).verdict()
        #expect(with == .stopped)
        let away = (proof.away + proof.wall).filter { !proof.back.contains($0) }
        let without = try Trial(proof, without: away).verdict()
        #expect(without == .succeeded)
    }

    @Test func `a file of the host is there only when its directory is listed`() throws {
        let bait = try #require(Bait.shared)
        var trial = try Trial(CounterProof("read_host_file", "none"))
        #expect(try trial.verdict() == .stopped)
        trial.reading = [bait.directory + "/outside"]
        #expect(try trial.verdict() == .succeeded)
    }

    @Test func `a set-uid program gains nothing on a mount of ours`() throws {
        let away =
            CounterProof.nextToNewPrivileges + CounterProof.users + ["no-new-privileges"]
        var trial = try Trial(CounterProof("set_uid_program", "none"), without: away)
        trial.isRestricted = true
        #expect(try trial.verdict() == .stopped)
        trial.isRestricted = false
        #expect(try trial.verdict() == .succeeded)
    }

    @Test func `a set-uid program gains nothing in a user namespace that has no root`() throws {
        let away = CounterProof.nextToNewPrivileges + ["no-new-privileges"]
        var trial = try Trial(CounterProof("set_uid_program", "none"), without: away)
        trial.isRestricted = false
        #expect(try trial.verdict() == .stopped)
    }

    @Test(arguments: ["echo x 2>&- >PLACE/file", "head -c 1 PLACE/zero >/dev/null"])
    func `a user's directory is for reading and has no devices`(script: String) throws {
        let place = try Trap()
        for (isRestricted, expected) in [(true, "stopped\n"), (false, "succeeded\n")] {
            let tree = try Tree(cloning: Tree.openDirectory(place.path))
            if isRestricted { try tree.restrict(readOnly: true) }
            var trees = Trees()
            trees.append(tree)
            let words = place.script(script + " && echo succeeded || echo stopped")
            var plan = Confined.plan(["/bin/sh", "-c", words])
            plan.trees = [.init(path: place.path, writable: false)]
            plan.withoutLandlock = true
            let confined = try Confined(mountPoints: [place.path])
            #expect(try confined.run(plan, trees: trees).output == expected)
        }
    }

    /// The proof of "cgroup.cpu": by what the scheduler did, since how much somebody gets depends on
    /// who else runs.
    @Test func `the share of the processors ends a spin that would go on without it`() throws {
        let spin = "import time\nwhile time.process_time() < 0.5: pass"
        for (millicores, isHeld) in [(200, true), (64_000, false)] {
            let group = try LimitedGroup(processors: millicores)
            let groups = try group.group.membershipDescriptors()
            let outcome = try Confined().run(
                Confined.plan(["/usr/bin/python3", "-c", spin]), groups: groups)
            #expect(outcome.status == 0)
            let throttled = try group.periodsThrottled()
            #expect(isHeld ? throttled > 0 : throttled == 0, "\(throttled) periods")
            try group.remove()
        }
    }

    @Test func `the launcher refuses a wall that it does not know`() throws {
        #expect(throws: SandboxError.self) { try Confined(without: ["no-such-wall"]) }
    }
}
