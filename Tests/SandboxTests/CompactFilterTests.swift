import Kernel
import Policy
import Testing
import YAML

@testable import Sandbox

@Suite struct CompactFilterTests {
    @Test(arguments: ["default", "broker"])
    func `a shipped profile decides the same after compaction, for every call`(
        name: String
    ) throws {
        let compiled = try SystemCallFilter.compile(Self.profile(name))
        let compact = try #require(CompactFilter.compact(compiled))
        #expect(compact.count < compiled.count)
        let constants = Self.constants(compiled)
        var compared = 0
        for number in Self.numbers(constants) {
            for arguments in Self.arguments(constants, seed: number) {
                let call = Call(number: number, arguments: arguments)
                compared += 1
                guard Self.decide(compiled, call) == Self.decide(compact, call) else {
                    Issue.record("call \(number) with \(arguments) is decided differently")
                    return
                }
            }
        }
        #expect(compared > 40_000)
    }

    @Test func `what is loaded ahead and what is left decide together as the whole`() throws {
        let compiled = try SystemCallFilter.compile(Self.profile("default"))
        let filter = try SystemCallFilter(compiling: Self.profile("default"))
        #expect(filter.rest.count < filter.instructions.count / 4)
        let constants = Self.constants(compiled)
        let foreign = Call(number: 165, architecture: 0x4000_0003)
        #expect(Self.decide([filter.ahead, filter.rest], foreign) == 0x8000_0000)
        for number in Self.numbers(constants) {
            for arguments in Self.arguments(constants, seed: number) {
                let call = Call(number: number, arguments: arguments)
                guard Self.decide(compiled, call) == Self.decide([filter.ahead, filter.rest], call)
                else {
                    Issue.record("call \(number) with \(arguments) is decided differently")
                    return
                }
            }
        }
        // Each part alone allows too much, or the other would be for nothing.
        let mount = Call(number: 165)
        let ptrace = Call(number: 101)
        #expect(Self.decide(filter.ahead, mount) == 0x7FFF_0000)
        #expect(Self.decide(filter.rest, mount) == Self.decide(compiled, mount))
        #expect(Self.decide(filter.rest, ptrace) == 0x7FFF_0000)
        #expect(Self.decide(filter.ahead, ptrace) == Self.decide(compiled, ptrace))
    }

    @Test func `calls of another architecture are answered as before`() throws {
        let compiled = try SystemCallFilter.compile(Self.profile("default"))
        let compact = try #require(CompactFilter.compact(compiled))
        let foreign = Call(number: 1, architecture: 0x4000_0003)
        #expect(Self.decide(compact, foreign) == Self.decide(compiled, foreign))
        #expect(Self.decide(compact, foreign) == 0x8000_0000)
    }

    @Test func `a filter that is changed by one answer is told from the original`() throws {
        let compiled = try SystemCallFilter.compile(Self.profile("default"))
        var compact = try #require(CompactFilter.compact(compiled))
        let allowed = try #require(compact.firstIndex { $0 == BPF.answer(0x7FFF_0000).raw })
        compact[allowed] = BPF.answer(0).raw
        let differing = Self.numbers([]).filter { number in
            let call = Call(number: number)
            return Self.decide(compiled, call) != Self.decide(compact, call)
        }
        #expect(!differing.isEmpty)
    }

    @Test func `a program that is not understood is left as it is`() {
        // A test of single bits of the number: no run of numbers has one answer.
        let program = [
            BPF.load(4), .compare(.equal, CompactFilter.architecture, true: 1, false: 0),
            .answer(0), .load(0), .compare(.anyBit, 2, true: 0, false: 1), .answer(1), .answer(2),
        ]
        #expect(CompactFilter.compact(program.map(\.raw)) == nil)
    }

    /// What the kernel shows a filter (struct seccomp_data).
    struct Call {
        var number: UInt32
        var architecture = CompactFilter.architecture
        var arguments: [UInt64] = Array(repeating: 0, count: 6)

        func word(_ offset: UInt32) -> UInt32 {
            switch offset {
            case 0: return number
            case 4: return architecture
            case 16..<64:
                let argument = arguments[Int(offset - 16) / 8]
                return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
            default: return 0
            }
        }
    }

    /// The strictest answer of several filters: the least as a signed number (seccomp(2)).
    static func decide(_ programs: [[UInt64]], _ call: Call) -> UInt32? {
        programs.compactMap { decide($0, call) }.min {
            Int32(bitPattern: $0) < Int32(bitPattern: $1)
        }
    }

    /// Runs a filter as the kernel does; nil for one that runs out of its end.
    static func decide(_ program: [UInt64], _ call: Call) -> UInt32? {
        var accumulator: UInt32 = 0
        var at = 0
        while at < program.count {
            let instruction = BPF(program[at])
            switch instruction.kind {
            case .load(let offset): accumulator = call.word(offset)
            case .jump: at += Int(instruction.value)
            case .answer: return instruction.value
            case .compare(let comparison):
                let holds = comparison.holds(accumulator, instruction.value)
                at += Int(holds ? instruction.whenTrue : instruction.whenFalse)
            case .mask: accumulator &= instruction.value
            case .other: return nil
            }
            at += 1
        }
        return nil
    }

    static func profile(_ name: String) throws -> SyscallProfile {
        let path = "\(Bait.top)/policies/syscalls/\(name).yaml"
        return try SyscallProfile.read(Array(Files.text(path).utf8), file: path)
    }

    private static func constants(_ program: [UInt64]) -> [UInt32] {
        Set(
            program.map(BPF.init).filter { $0.isComparison || $0.code == BPF.mask(0).code }.map(
                \.value)
        )
        .sorted()
    }

    /// Every call there is and may come, and both sides of all that the program compares with.
    private static func numbers(_ constants: [UInt32]) -> [UInt32] {
        let edges = constants.flatMap { [$0 &- 1, $0, $0 &+ 1] }
        let far: [UInt32] = [0x4000_0000, 0x4000_0001, 0x4000_0221, 0x7FFF_FFFF, .max - 1, .max]
        return Set((0..<1024) + edges + far).sorted()
    }

    /// Arguments around what the program compares with, in each place and both halves.
    private static func arguments(_ constants: [UInt32], seed: UInt32) -> [[UInt64]] {
        var random = SystemRandomNumberGenerator()
        var found = [Array(repeating: UInt64(0), count: 6), Array(repeating: .max, count: 6)]
        for _ in 0..<40 {
            found.append(
                (0..<6).map { _ in
                    let low = UInt64(constants.randomElement(using: &random) ?? seed)
                    return (low &+ UInt64.random(in: 0...2, using: &random)) &- 1
                        | (UInt64.random(in: 0...9, using: &random) == 0 ? 1 << 32 : 0)
                })
        }
        return found
    }
}
