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
        Seccomp_filters:\t1
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

    @Test func `a kernel that says nothing is trusted with nothing`() {
        #expect(Posture.differences("", uid: 1).count == 10)
    }
}
