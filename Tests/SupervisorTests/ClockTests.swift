import Testing

@testable import Supervisor

@Suite struct ClockTests {
    @Test func `the next look is at the earliest moment at which the limit can be reached`() {
        var clock = SandboxClock(cpuSeconds: 9, millicores: 2_000, life: nil, now: 1_000_000)
        // Ten seconds on two cores, with the second in which a process is told that time is over.
        #expect(clock.due == 6_000_000)
        var dues: [UInt64] = []
        for (used, now) in [(8_000_000, 6_000_000), (8_000_000, 7_000_000)] as [(UInt64, UInt64)] {
            let isOver = clock.reaches(used: used, now: now)
            #expect(!isOver)
            dues.append(clock.due)
        }
        #expect(dues == [7_000_000, 8_000_000])
        let isOver = clock.reaches(used: 10_000_000, now: 8_000_000)
        #expect(isOver)
    }

    @Test func `what runs as fast as it may is met at its limit, whatever its speed`() {
        for millicores in [10, 500, 1_000, 64_000] {
            var clock = SandboxClock(cpuSeconds: 60, millicores: millicores, life: nil, now: 0)
            var now: UInt64 = 0
            var looks = 0
            while !clock.reaches(used: now * UInt64(millicores) / 1000, now: now) {
                now = clock.due
                looks += 1
            }
            let used = now * UInt64(millicores) / 1000
            let late = SandboxClock.pauseMicroseconds * UInt64(millicores) / 1000
            #expect((61_000_000...61_000_000 + late).contains(used), "\(millicores): \(used)")
            #expect(looks <= 4, "\(millicores): \(looks) looks")
        }
    }

    @Test func `one that is about to reach its limit is looked at after a pause`() {
        var clock = SandboxClock(cpuSeconds: 0, millicores: 1_000, life: nil, now: 0)
        let isOver = clock.reaches(used: 999_999, now: 5)
        #expect(!isOver)
        #expect(clock.due == 5 + SandboxClock.pauseMicroseconds)
    }

    @Test func `a life ends when it is over, and without one never`() {
        let clock = SandboxClock(
            cpuSeconds: 600, millicores: 1_000, life: .seconds(30), now: 2_000_000)
        #expect(clock.lifeEnds == 32_000_000)
        #expect(clock.due == 32_000_000)
        let endless = SandboxClock(cpuSeconds: 600, millicores: 1_000, life: nil, now: 0)
        #expect(endless.lifeEnds == nil)
    }
}
