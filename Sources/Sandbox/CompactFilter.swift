/// A system call filter in fewer instructions that decides the same.
///
/// Loading a filter costs about a fifth of a microsecond for each instruction, at every start:
/// libseccomp gives each call a comparison and an answer of its own, and most calls have their
/// neighbours' answers. Here every run of numbers with one answer is one leaf of a balanced tree.
///
/// The answer of each number is found by running the original on it, so nothing of the profile is
/// interpreted a second time; what depends on arguments keeps its questions and their order.
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
    private var graph = DecisionGraph()
    /// The node of each instruction of the original that was come to.
    private var nodes: [Int: DecisionGraph.ID] = [:]

    /// The same filter, compacted; nil when the original does something that is not understood, or
    /// would not become smaller: then it is loaded as it is.
    static func compact(_ instructions: [UInt64]) -> [UInt64]? {
        var filter = CompactFilter(original: instructions.map(BPF.init))
        guard let leaves = filter.leaves(), let root = filter.root(leaves) else { return nil }
        let output = filter.graph.instructions(from: root)
        return output.count < instructions.count ? output.map(\.raw) : nil
    }

    /// The same filter in two that together decide alike, since of several the kernel takes the
    /// strictest answer: one for whoever makes these calls before it is confined, which allows them
    /// with all arguments, and the rest, which decides on them alone; nil when it is not
    /// understood.
    static func split(
        _ instructions: [UInt64], allowing calls: Set<UInt32>
    ) -> (ahead: [UInt64], rest: [UInt64])? {
        let program = instructions.map(BPF.init)
        var ahead = CompactFilter(original: program)
        var rest = CompactFilter(original: program)
        guard let leaves = ahead.leaves(splitting: calls),
            let root = ahead.root(Self.merged(leaves) { calls.contains($0) ? allow : nil }),
            let tree = rest.tree(Self.merged(leaves) { calls.contains($0) ? nil : allow }[...])
        else { return nil }
        // The architecture is decided on by the first of the two.
        let number = rest.graph.add(.load(Self.numberOffset, then: tree))
        return (
            ahead.graph.instructions(from: root).map(\.raw),
            rest.graph.instructions(from: number).map(\.raw)
        )
    }

    /// SECCOMP_RET_ALLOW (seccomp(2)).
    private static let allow: UInt32 = 0x7FFF_0000

    /// The leaves with other answers for some numbers; adjacent ones differ again.
    private static func merged(_ leaves: [Leaf], _ answer: (UInt32) -> UInt32?) -> [Leaf] {
        var merged: [Leaf] = []
        for leaf in leaves {
            let outcome = answer(leaf.first).map { Outcome.answer($0) } ?? leaf.outcome
            if merged.last?.outcome != outcome {
                merged.append(Leaf(first: leaf.first, outcome: outcome))
            }
        }
        return merged
    }

    private init(original: [BPF]) { self.original = original }

    /// Every run of numbers with one outcome, in order; adjacent runs differ, but for `calls`, each
    /// of which is one of its own.
    private func leaves(splitting calls: Set<UInt32> = []) -> [Leaf]? {
        // Between two constants that the program compares with, nothing can change.
        var bounds: Set<UInt32> = [0]
        for instruction in original where instruction.isComparison {
            bounds.insert(instruction.value)
            if instruction.value < .max { bounds.insert(instruction.value + 1) }
        }
        let edges = Set(calls.flatMap { [$0, $0 + 1] })
        var leaves: [Leaf] = []
        for first in bounds.union(edges).sorted() {
            guard let outcome = outcome(of: first) else { return nil }
            if leaves.last?.outcome != outcome || edges.contains(first) {
                leaves.append(Leaf(first: first, outcome: outcome))
            }
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
            case .mask, .other: return nil
            }
            at += 1
        }
        return nil
    }

    /// The architecture, and the tree for this machine's own.
    private mutating func root(_ leaves: [Leaf]) -> DecisionGraph.ID? {
        guard let foreign = foreignAnswer(), let tree = tree(leaves[...]) else { return nil }
        let number = graph.add(.load(Self.numberOffset, then: tree))
        let other = graph.add(.answer(foreign))
        let choice = graph.add(.compare(.equal, Self.architecture, yes: number, no: other))
        return graph.add(.load(Self.architectureOffset, then: choice))
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

    /// Halves the leaves until one is left.
    private mutating func tree(_ leaves: ArraySlice<Leaf>) -> DecisionGraph.ID? {
        guard leaves.count > 1 else {
            switch leaves[leaves.startIndex].outcome {
            case .answer(let value): return graph.add(.answer(value))
            case .block(let at): return node(at).map { graph.simplify($0) }
            }
        }
        let middle = leaves.startIndex + leaves.count / 2
        guard let low = tree(leaves[..<middle]), let high = tree(leaves[middle...]) else {
            return nil
        }
        return graph.add(.compare(.atLeast, leaves[middle].first, yes: high, no: low))
    }

    /// What an instruction of the original decides; nil when it is not understood or leads out.
    private mutating func node(_ at: Int) -> DecisionGraph.ID? {
        guard original.indices.contains(at) else { return nil }
        if let made = nodes[at] { return made }
        let instruction = original[at]
        let made: DecisionGraph.ID?
        switch instruction.kind {
        case .answer: made = graph.add(.answer(instruction.value))
        case .jump: made = node(at + 1 + Int(instruction.value))
        case .load(let offset): made = node(at + 1).map { graph.add(.load(offset, then: $0)) }
        case .mask: made = node(at + 1).map { graph.add(.mask(instruction.value, then: $0)) }
        case .compare(let comparison):
            guard let yes = node(at + 1 + Int(instruction.whenTrue)),
                let no = node(at + 1 + Int(instruction.whenFalse))
            else { return nil }
            made = graph.add(.compare(comparison, instruction.value, yes: yes, no: no))
        case .other: made = nil
        }
        nodes[at] = made
        return made
    }
}
