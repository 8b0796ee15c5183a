/// A system call filter in fewer instructions that decides the same.
///
/// Loading a filter costs about a fifth of a microsecond for each instruction, at every start:
/// libseccomp gives each call a comparison and an answer of its own, and most calls have their
/// neighbours' answers. Here every run of numbers with one answer is one leaf of a balanced tree.
///
/// The answer of each number is found by running the original on it, so nothing of the profile is
/// interpreted a second time; what depends on arguments is copied as it is.
struct CompactFilter {
    /// Where a number's way through the original ends.
    private enum Outcome: Hashable {
        /// An answer that needs no argument: the value of a RET.
        case answer(UInt32)
        /// The instruction at which the first argument is looked at.
        case block(Int)
    }

    /// System call numbers from `first` to the next leaf's, with one outcome.
    private struct Leaf {
        let first: UInt32
        let outcome: Outcome
    }

    /// Offsets of `struct seccomp_data` (seccomp(2)).
    private static let numberOffset: UInt32 = 0
    private static let architectureOffset: UInt32 = 4
    /// AUDIT_ARCH_* of this machine (linux/audit.h).
    #if arch(x86_64)
        static let architecture: UInt32 = 0xC000_003E
    #elseif arch(arm64)
        static let architecture: UInt32 = 0xC000_00B7
    #endif

    private let original: [BPF]
    private var output: [BPF] = []
    /// Where the copy of each block begins in the output.
    private var blocks: [Int: Int] = [:]

    /// The same filter, compacted; nil when the original does something that is not understood, or
    /// would not become smaller: then it is loaded as it is.
    static func compact(_ instructions: [UInt64]) -> [UInt64]? {
        var filter = CompactFilter(original: instructions.map(BPF.init))
        guard let leaves = filter.leaves(), filter.emit(leaves),
            filter.output.count < instructions.count
        else { return nil }
        return filter.output.map(\.raw)
    }

    private init(original: [BPF]) { self.original = original }

    /// Every run of numbers with one outcome, in order; adjacent runs differ.
    private func leaves() -> [Leaf]? {
        // Between two constants that the program compares with, nothing can change.
        var bounds: Set<UInt32> = [0]
        for instruction in original where instruction.isComparison {
            bounds.insert(instruction.value)
            if instruction.value < .max { bounds.insert(instruction.value + 1) }
        }
        var leaves: [Leaf] = []
        for first in bounds.sorted() {
            guard let outcome = outcome(of: first) else { return nil }
            if leaves.last?.outcome != outcome { leaves.append(Leaf(first: first, outcome: outcome)) }
        }
        return leaves
    }

    /// Runs the original on a number of this architecture, up to its first look at an argument.
    private func outcome(of number: UInt32) -> Outcome? {
        var at = 0
        var accumulator: UInt32 = 0
        while original.indices.contains(at) {
            let instruction = original[at]
            switch instruction.kind {
            case .load(Self.numberOffset): accumulator = number
            case .load(Self.architectureOffset): accumulator = Self.architecture
            case .load: return .block(at)
            case .answer: return .answer(instruction.value)
            case .jump: at += Int(instruction.value)
            // A test of single bits changes within a run of numbers.
            case .compare(.anyBit): return nil
            case .compare(let comparison):
                let taken = comparison.holds(accumulator, instruction.value)
                at += Int(taken ? instruction.whenTrue : instruction.whenFalse)
            case .other: return nil
            }
            at += 1
        }
        return nil
    }

    /// Architecture, the tree, then the blocks that look at arguments.
    private mutating func emit(_ leaves: [Leaf]) -> Bool {
        guard let foreign = foreignAnswer() else { return false }
        output = [
            .load(Self.architectureOffset), .equal(Self.architecture, true: 1, false: 0),
            .answer(foreign), .load(Self.numberOffset),
        ]
        var pending: [(at: Int, block: Int)] = []
        output += Self.tree(leaves[...], &pending, base: output.count)
        for (at, block) in pending {
            guard let copy = copyOfBlock(block) else { return false }
            output[at] = .jump(UInt32(copy - at - 1))
        }
        return true
    }

    /// What the original answers to calls of any other architecture.
    private func foreignAnswer() -> UInt32? {
        guard original.count > 2, case .load(Self.architectureOffset) = original[0].kind,
            case .compare(.equal) = original[1].kind, original[1].value == Self.architecture
        else { return nil }
        let at = 2 + Int(original[1].whenFalse)
        guard original.indices.contains(at), case .answer = original[at].kind else { return nil }
        return original[at].value
    }

    /// Halves the leaves until one is left; `base` is where the tree will lie, for what is pending.
    private static func tree(
        _ leaves: ArraySlice<Leaf>, _ pending: inout [(at: Int, block: Int)], base: Int
    ) -> [BPF] {
        guard leaves.count > 1 else {
            switch leaves[leaves.startIndex].outcome {
            case .answer(let value): return [.answer(value)]
            case .block(let block):
                pending.append((base, block))
                return [.jump(0)]
            }
        }
        let middle = leaves.startIndex + leaves.count / 2
        let bound = leaves[middle].first
        // A conditional jump reaches 255 instructions; a longer way needs one more to jump.
        var mine: [(at: Int, block: Int)] = []
        let short = tree(leaves[..<middle], &mine, base: base + 1)
        guard short.count > 255 else {
            pending += mine
            return [.atLeast(bound, true: UInt8(short.count), false: 0)] + short
                + tree(leaves[middle...], &pending, base: base + 1 + short.count)
        }
        let long = tree(leaves[..<middle], &pending, base: base + 2)
        return [.atLeast(bound, true: 0, false: 1), .jump(UInt32(long.count))] + long
            + tree(leaves[middle...], &pending, base: base + 2 + long.count)
    }

    /// Copies what can be reached from a block, once, in its order; nil when a way leaves the
    /// program.
    private mutating func copyOfBlock(_ block: Int) -> Int? {
        if let made = blocks[block] { return made }
        guard let reached = reachable(from: block) else { return nil }
        let start = output.count
        for (index, at) in reached.enumerated() { blocks[at] = start + index }
        for at in reached {
            // Every target is among them, or `reachable` had failed.
            let distances = targets(of: at).map { (blocks[$0] ?? 0) - (blocks[at] ?? 0) - 1 }
            output.append(original[at].jumping(distances))
        }
        return start
    }

    /// The instructions that a block can come to, in their order.
    private func reachable(from block: Int) -> [Int]? {
        var found: Set<Int> = []
        var next = [block]
        while let at = next.popLast() {
            guard original.indices.contains(at) else { return nil }
            if found.insert(at).inserted { next += targets(of: at) }
        }
        return found.sorted()
    }

    /// Where an instruction may lead: the way when it holds first.
    private func targets(of at: Int) -> [Int] {
        let instruction = original[at]
        return switch instruction.kind {
        case .answer: []
        case .jump: [at + 1 + Int(instruction.value)]
        case .compare:
            [at + 1 + Int(instruction.whenTrue), at + 1 + Int(instruction.whenFalse)]
        case .load, .other: [at + 1]
        }
    }
}
