import Configuration
import Logging

/// The command line that corrald writes.
struct Options: Sendable {
    /// A mistake on it.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    var controlSocket: CInt = -1
    var supervisorSocket: CInt = -1
    var filter: CInt = -1
    /// Users that nobody but our own sandboxes has: none of them is a client.
    var sandboxUIDs: Range<UInt32> = 0..<0
    var state = ""
    var policies = ""
    var runcards = ""
    var logLevel = Logger.Level.info

    /// Reads `--name value` pairs.
    init(_ words: [String]) throws {
        guard words.count.isMultiple(of: 2) else {
            throw Mistake(description: "cannot read the command line: an option lacks its value")
        }
        for index in stride(from: 0, to: words.count, by: 2) {
            try set(words[index], words[index + 1])
        }
        guard controlSocket >= 0, supervisorSocket >= 0, filter >= 0, !sandboxUIDs.isEmpty,
            !state.isEmpty, !policies.isEmpty, !runcards.isEmpty
        else {
            throw Mistake(
                description: "cannot read the command line: --control-fd, --supervisor-fd, "
                    + "--filter-fd, --sandbox-uids, --state, --policies and --runcards are needed "
                    + "(corrald starts this program)")
        }
    }

    /// The policies, from files that only root and this user can have written.
    func loadPolicies() throws -> PolicySet {
        try PolicySet.load(policies: policies, runcards: runcards, .owners)
    }

    private mutating func set(_ name: String, _ value: String) throws {
        switch name {
        case "--control-fd": controlSocket = try descriptor(name, value)
        case "--supervisor-fd": supervisorSocket = try descriptor(name, value)
        case "--filter-fd": filter = try descriptor(name, value)
        case "--sandbox-uids": sandboxUIDs = try range(name, value)
        case "--state": state = value
        case "--policies": policies = value
        case "--runcards": runcards = value
        case "--log-level":
            guard let level = Logger.Level(rawValue: value) else {
                throw Mistake(description: "cannot read '\(name)': '\(value)' is no level")
            }
            logLevel = level
        default: throw Mistake(description: "cannot read the command line: no option '\(name)'")
        }
    }

    private func descriptor(_ name: String, _ value: String) throws -> CInt {
        guard let number = CInt(value), number > 2 else {
            throw Mistake(description: "cannot read '\(name)': '\(value)' is no descriptor")
        }
        return number
    }

    private func range(_ name: String, _ value: String) throws -> Range<UInt32> {
        let numbers = value.split(separator: ":").compactMap { UInt32($0) }
        guard numbers.count == 2, numbers[1] > 0, numbers[0] <= UInt32.max - numbers[1] else {
            throw Mistake(description: "cannot read '\(name)': '\(value)' is not FIRST:COUNT")
        }
        return numbers[0]..<numbers[0] + numbers[1]
    }
}
