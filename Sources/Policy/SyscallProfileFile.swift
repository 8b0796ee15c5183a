public import YAML

extension SyscallProfile {
    /// Reads a profile's bytes; `file` names it in messages.
    ///
    /// Throws every mistake at once.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> SyscallProfile {
        var profile = try schema.read(bytes, file: file).value
        profile.file = file
        return profile
    }

    /// The keys of a profile.
    public static var schema: Schema<SyscallProfile> {
        Schema(
            start: SyscallProfile(name: "", standard: .kill, entries: [], file: ""),
            [
                .version,
                Key(
                    "name", .name(), .required, \.name,
                    "The name that a policy's `syscalls` refers to it by."),
                Key(
                    "default", .action, .standard("errno ENOSYS"), \.standard,
                    "What happens to calls and arguments that no entry names."),
                Key(
                    "entries", .list(of: .record(Entry.schema), limit: 512), .required, \.entries,
                    "Calls that are treated alike, each group with its reason."),
            ], check: checkContradictions)
    }

    /// libseccomp decides by order when two rules fit one call, so no call may have two that could.
    private static func checkContradictions(
        _ profile: inout SyscallProfile, _ node: Node, _ reader: inout Reader
    ) {
        var always: [String: Entry] = [:]
        var sometimes: [String: Entry] = [:]
        for entry in profile.entries {
            if entry.action == profile.standard, !entry.when.isEmpty {
                reader.report(
                    entry.place,
                    "an entry with the default action cannot have 'when': "
                        + "it adds no rule, and other entries would decide")
            }
            for call in entry.calls {
                let other = always[call] ?? (entry.when.isEmpty ? sometimes[call] : nil)
                if let other {
                    reader.report(
                        entry.place,
                        "'\(call)' stands in line \(other.place.line) as well; a call has either "
                            + "one entry, or several that all have 'when'")
                }
                if entry.when.isEmpty { always[call] = entry } else { sometimes[call] = entry }
            }
        }
    }
}

extension SyscallProfile.Entry {
    static var schema: Schema<Self> {
        Schema(
            start: Self(calls: [], action: .kill, when: [], why: "", place: Place(file: "")),
            [
                Key(
                    "calls", .list(of: .callName, limit: 256), .required, \.calls,
                    "Names of system calls; one that an architecture lacks is passed over there."),
                Key(
                    "action", .action, .required, \.action,
                    "What happens to them."),
                Key(
                    "when", .list(of: .record(SyscallProfile.Condition.schema), limit: 6),
                    .standard("[]"), \.when,
                    "Conditions on arguments, all of which must hold, each on another argument."),
                Key("why", .text(limit: 1024), .required, \.why, "The reason."),
            ]
        ) { entry, node, reader in
            entry.place = node.place
            if entry.calls.isEmpty { reader.report(node.place, "'calls' is empty") }
            if Set(entry.when.map(\.argument)).count < entry.when.count {
                reader.report(
                    node.place, "two conditions look at the same argument: write two entries")
            }
        }
    }
}

extension SyscallProfile.Condition {
    static var schema: Schema<Self> {
        Schema(
            start: Self(argument: 0, comparison: .eq, values: [], mask: .max),
            [
                Key("arg", .integer(0...5), .required, \.argument, "The argument, from 0."),
                Key("op", .choice, .required, \.comparison, "The comparison."),
                Key(
                    "value", .words, .required, \.values,
                    "What it is compared with; a list means any of them (`eq` and `masked_eq`)."),
                Key(
                    optional: "mask", .word, \.givenMask,
                    "The bits that are compared; needed by `masked_eq` and `masked_ne` only."),
            ]
        ) { condition, node, reader in
            let comparison = condition.comparison
            let isMasked = comparison == .maskedEqual || comparison == .maskedNotEqual
            if isMasked != (node["mask"] != nil) {
                reader.report(
                    node.place,
                    isMasked ? "'\(comparison.rawValue)' needs 'mask'" : "'mask' needs a masked op")
            }
            if condition.values.contains(where: { $0 & ~condition.mask != 0 }) {
                reader.report(node.place, "'value' has bits outside 'mask' and could never match")
            }
            let mayList = comparison == .eq || comparison == .maskedEqual
            if condition.values.count != 1, !mayList || condition.values.isEmpty {
                reader.report(node.place, "'\(comparison.rawValue)' takes exactly one value")
            }
            if condition.mask == 0 { reader.report(node.place, "'mask' is 0") }
        }
    }

    fileprivate var givenMask: UInt64? {
        get { mask }
        set { mask = newValue ?? .max }
    }
}

extension Kind where Value == SyscallProfile.Action {
    static var action: Kind {
        Kind(scalar: "`allow`, `kill` or `errno NAME`") { text throws(Wrong) in
            switch text {
            case "allow": return .allow
            case "kill": return .kill
            default: break
            }
            let names = ErrnoName.allCases.map(\.rawValue)
            guard text.hasPrefix("errno "),
                let name = ErrnoName(rawValue: String(text.dropFirst(6)))
            else {
                throw Wrong(
                    "write allow, kill or errno with one of \(names.joined(separator: ", "))")
            }
            return .errno(name)
        }
    }
}

extension Kind where Value == String {
    static var callName: Kind {
        Kind.text(limit: 64).named("system call").checked { name throws(Wrong) in
            let isFit = name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_")
            }
            guard isFit, !name.isEmpty else {
                throw Wrong("'\(printable(name))' is not the name of a system call")
            }
        }
    }
}

extension Kind where Value == UInt64 {
    static var word: Kind {
        Kind(scalar: "number, decimal or 0x…") { text throws(Wrong) in
            let isHex = text.hasPrefix("0x")
            let digits = isHex ? text.dropFirst(2) : text[...]
            let isFit = digits.utf8.allSatisfy { byte in byte != 0x2B && byte != 0x2D }
            guard isFit, let value = UInt64(digits, radix: isHex ? 16 : 10) else {
                throw Wrong("write a number in decimal, or 0x and hexadecimal digits")
            }
            return value
        }
    }
}

extension Kind where Value == [UInt64] {
    /// One number, or a list of them.
    static var words: Kind {
        let one = Kind<UInt64>.word.map { [$0] }
        let many = Kind<[UInt64]>.list(of: .word, limit: 64)
        return .scalar(one, orList: many)
    }
}
