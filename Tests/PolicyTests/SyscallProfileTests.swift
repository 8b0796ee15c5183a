import Policy
import Testing
import YAML

@Suite struct SyscallProfileTests {
    private func read(_ entries: String) throws -> SyscallProfile {
        let text = "version: 1\nname: p\ndefault: errno ENOSYS\nentries:\n" + entries
        return try SyscallProfile.read(Array(text.utf8), file: "s.yaml")
    }

    private func mistakes(_ entries: String) -> [String] {
        do {
            _ = try read(entries)
            return []
        } catch let error as Mistakes {
            return error.all.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `an entry is one rule a call, and one for each combination of values`() throws {
        let profile = try read(
            """
              - {calls: [read, write], action: allow, why: Always.}
              - calls: [socket]
                action: errno EAFNOSUPPORT
                why: Pairs.
                when: [{arg: 0, op: eq, value: [2, 10]}, {arg: 1, op: gt, value: 0x10}]
            """)
        #expect(profile.standard == .errno(.ENOSYS))
        #expect(profile.entries[1].place.line == 6)
        #expect(profile.rules.map(\.call) == ["read", "write", "socket", "socket"])
        #expect(profile.rules[0].comparisons.isEmpty)
        #expect(profile.rules[3].action == .errno(.EAFNOSUPPORT))
        #expect(
            profile.rules[3].comparisons == [
                .init(argument: 0, comparison: .eq, value: 10, mask: .max),
                .init(argument: 1, comparison: .gt, value: 16, mask: .max),
            ])
    }

    @Test func `an entry with the default action documents and adds no rule`() throws {
        let profile = try read("  - {calls: [clone3], action: errno ENOSYS, why: Flags hidden.}")
        #expect(profile.entries.count == 1)
        #expect(profile.rules.isEmpty)
    }

    @Test func `masked_ne becomes equalities that hold exactly when it does`() throws {
        let profile = try read(
            "  - {calls: [x], action: allow, why: W, "
                + "when: [{arg: 2, op: masked_ne, mask: 0x2D, value: 0x21}]}")
        let tests = profile.rules.map { $0.comparisons[0] }
        #expect(tests.count == 4)
        #expect(tests.allSatisfy { $0.argument == 2 && $0.comparison == .maskedEqual })
        for value in UInt64(0)..<256 {
            let matching = tests.filter { value & $0.mask == $0.value }.count
            #expect(matching == (value & 0x2D != 0x21 ? 1 : 0), "value \(value)")
        }
    }

    @Test func `entries that would contradict each other are refused`() {
        #expect(
            mistakes(
                """
                  - {calls: [ioctl], action: allow, why: W}
                  - {calls: [ioctl], action: kill, why: W, when: [{arg: 1, op: eq, value: 1}]}
                  - {calls: [read, read], action: allow, why: W}
                """) == [
                    "s.yaml:6:5: 'ioctl' stands in line 5 as well; a call has either one entry, or "
                        + "several that all have 'when'",
                    "s.yaml:7:5: 'read' stands in line 7 as well; a call has either one entry, or "
                        + "several that all have 'when'",
                ])
    }

    @Test(arguments: [
        ("{calls: [a], action: permit, why: W}", "write allow, kill or errno"),
        ("{calls: [a], action: errno EFOO, why: W}", "write allow, kill or errno"),
        ("{calls: [a], action: allow}", "missing key 'why'"),
        ("{calls: [], action: allow, why: W}", "'calls' is empty"),
        ("{calls: [Read], action: allow, why: W}", "not the name of a system call"),
        ("{calls: [a], action: allow, why: W, when: [{arg: 6, op: eq, value: 1}]}", "0 to 5"),
        ("{calls: [a], action: allow, why: W, when: [{arg: 0, op: is, value: 1}]}", "one of eq"),
        (
            "{calls: [a], action: allow, why: W, when: [{arg: 0, op: masked_eq, value: 1}]}",
            "needs 'mask'"
        ),
        (
            "{calls: [a], action: allow, why: W, when: [{arg: 0, op: eq, value: 1, mask: 1}]}",
            "needs a masked op"
        ),
        (
            "{calls: [a], action: allow, why: W, "
                + "when: [{arg: 0, op: masked_eq, value: 3, mask: 1}]}", "outside 'mask'"
        ),
        (
            "{calls: [a], action: allow, why: W, when: [{arg: 0, op: gt, value: [1, 2]}]}",
            "exactly one value"
        ),
        (
            "{calls: [a], action: allow, why: W, "
                + "when: [{arg: 0, op: gt, value: 1}, {arg: 0, op: lt, value: 5}]}",
            "the same argument"
        ),
        ("{calls: [a], action: allow, why: W, when: [{arg: 0, op: eq, value: -1}]}", "0x"),
        (
            "{calls: [a], action: errno ENOSYS, why: W, when: [{arg: 0, op: eq, value: 1}]}",
            "cannot have 'when'"
        ),
    ])
    func `a mistake in an entry is named`(entry: String, message: String) {
        let found = mistakes("  - " + entry)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) ?? false, "\(found)")
    }
}
