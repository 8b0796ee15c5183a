import Testing

@testable import Supervisor

@Suite struct PostureTests {
    static let good = """
        Name:\tcorral-launch
        Uid:\t2000000001\t2000000001\t2000000001\t2000000001
        Gid:\t2000000001\t2000000001\t2000000001\t2000000001
        Groups:\t \n\
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t0000000000000000
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t3
        """

    @Test func `a confined process has no differences`() {
        #expect(Posture.differences(Self.good, uid: 2_000_000_001).isEmpty)
    }

    @Test(arguments: [
        ("Uid:\t2000000001\t", "Uid:\t0\t", "Uid"), ("Groups:\t ", "Groups:\t27 ", "Groups"),
        ("CapEff:\t0000000000000000", "CapEff:\t0000000000000001", "CapEff"),
        ("CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff", "CapBnd"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs"),
        ("Seccomp:\t2", "Seccomp:\t0", "Seccomp"),
    ])
    func `each wall that is missing is named`(_ have: String, _ instead: String, _ name: String) {
        let range = Self.good.firstRange(of: have)
        #expect(range != nil)
        var status = Self.good
        if let range { status.replaceSubrange(range, with: instead) }
        #expect(Posture.differences(status, uid: 2_000_000_001) == [name])
    }

    @Test func `a status is told good at a glance where nothing differs, and never else`() {
        let good = Array(Self.good.utf8) + [10]
        #expect(Posture.holds(good, uid: 2_000_000_001, filters: 3))
        #expect(!Posture.holds(good, uid: 2_000_000_002, filters: 3))
        #expect(!Posture.holds(good, uid: 2_000_000_001, filters: 4))
        #expect(!Posture.holds([], uid: 2_000_000_001, filters: 3))
        // Behind each name, whatever the value is: another last character.
        for line in Self.good.split(separator: "\n").dropFirst() {
            let last = line.last == "1" ? "7" : "1"
            let status = Self.good.replacing(line, with: line.dropLast() + last)
            #expect(!Posture.holds(Array(status.utf8) + [10], uid: 2_000_000_001, filters: 3))
        }
    }

    @Test func `a kernel that says nothing is trusted with nothing`() {
        #expect(Posture.differences("", uid: 1).count == 10)
    }

    static let own = Posture.Own(
        namespaces: [
            "user": "user:[1]", "mnt": "mnt:[2]", "pid": "pid:[3]", "net": "net:[4]",
            "ipc": "ipc:[5]", "uts": "uts:[6]", "cgroup": "cgroup:[7]", "time": "time:[8]",
        ], filters: 1)
    static let other = own.namespaces.mapValues { String($0.dropLast()) + "9]" }

    @Test func `namespaces of its own are not shared`() {
        #expect(Posture.shared(Self.other, Self.own).isEmpty)
        #expect(Posture.shared(Self.own.namespaces, Self.own) == Posture.namespaces)
    }

    @Test(arguments: Posture.namespaces)
    func `each namespace that is the host's, or not told, is named`(kind: String) {
        var found = Self.other
        found[kind] = Self.own.namespaces[kind]
        #expect(Posture.shared(found, Self.own) == [kind])
        #expect(Posture.shared(found, Self.own, except: [kind]).isEmpty)
        found[kind] = nil
        #expect(Posture.shared(found, Self.own) == [kind])
    }

    @Test func `this process shares all of its own namespaces with itself`() throws {
        let own = try Posture.Own.read()
        let read = try Posture.readNamespaces(of: "self", time: "time")
        #expect(Posture.shared(read, own) == Posture.namespaces)
    }
}
