extension SyscallProfile {
    /// One rule for the filter: a call, what happens to it, and the comparisons that must all hold.
    ///
    /// No two comparisons of a rule look at the same argument, as libseccomp wants it.
    public struct Rule: Sendable, Equatable {
        /// The call's name.
        public var call: String
        /// What happens to it; never the profile's standard action.
        public var action: Action
        /// The comparisons, all of which must hold; empty means always.
        public var comparisons: [ArgumentTest]

        /// Makes a rule.
        public init(call: String, action: Action, comparisons: [ArgumentTest] = []) {
            self.call = call
            self.action = action
            self.comparisons = comparisons
        }
    }

    /// One comparison as libseccomp has it.
    public struct ArgumentTest: Sendable, Equatable {
        /// The argument's index, 0 to 5.
        public var argument: Int
        /// The comparison; never `masked_ne`, which libseccomp does not have.
        public var comparison: Comparison
        /// What it is compared with.
        public var value: UInt64
        /// The bits that are compared; all ones unless the comparison is `masked_eq`.
        public var mask: UInt64

        /// Makes a comparison.
        public init(argument: Int, comparison: Comparison, value: UInt64, mask: UInt64 = .max) {
            self.argument = argument
            self.comparison = comparison
            self.value = value
            self.mask = mask
        }
    }

    /// The profile as rules: each call of each entry, once for every combination of alternatives.
    ///
    /// Entries whose action is the standard one only document, and add none.
    public var rules: [Rule] {
        entries.filter { $0.action != standard }.flatMap { entry in
            let tests = Self.combinations(entry.when.map(\.alternatives))
            return entry.calls.flatMap { call in
                tests.map { Rule(call: call, action: entry.action, comparisons: $0) }
            }
        }
    }

    private static func combinations(_ choices: [[ArgumentTest]]) -> [[ArgumentTest]] {
        choices.reduce([[]]) { partial, choice in
            partial.flatMap { start in choice.map { start + [$0] } }
        }
    }
}

extension SyscallProfile.Condition {
    /// Comparisons of which exactly the condition is the union.
    var alternatives: [SyscallProfile.ArgumentTest] {
        guard comparison == .maskedNotEqual else {
            return values.map { value in
                SyscallProfile.ArgumentTest(
                    argument: argument, comparison: comparison, value: value, mask: mask)
            }
        }
        return values.flatMap(differences)
    }

    /// `argument & mask != value` as comparisons for equality, no two of which hold at once: from
    /// the highest bit down, equal in every bit above and different in this one.
    private func differences(from value: UInt64) -> [SyscallProfile.ArgumentTest] {
        let bits = (0..<64).reversed().map { UInt64(1) << UInt64($0) }.filter { mask & $0 != 0 }
        return bits.map { bit in
            let from = mask & ~(bit - 1)
            return SyscallProfile.ArgumentTest(
                argument: argument, comparison: .maskedEqual, value: (value & from) ^ bit,
                mask: from)
        }
    }
}
