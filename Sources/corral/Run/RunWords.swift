internal import Control
internal import Kernel
internal import NetworkRules
internal import Policy
internal import YAML

/// Makes a request of what was typed behind `corral run`. Pure, but for where the caller stands.
struct RunWords {
    /// Where the caller stands: absolute, without links.
    let directory: String

    /// Stands where this process does.
    init() throws(CommandFailure) {
        do throws(KernelError) {
            directory = try Surroundings.absolutePath(".")
        } catch {
            throw CommandFailure(.notRun, "cannot tell where this is: \(error)")
        }
    }

    /// Stands somewhere.
    init(directory: String) {
        self.directory = directory
    }

    /// `PATH` or `PATH:rw`; a relative path is made absolute, because the daemon stands elsewhere.
    func mount(_ word: String) throws(CommandFailure) -> Run.Mount {
        let isWritable = word.hasSuffix(":rw")
        var path = isWritable ? String(word.dropLast(3)) : word
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw CommandFailure(
                .notRun, "cannot mount '\(word)': it is not of the form PATH or PATH:rw")
        }
        if path.hasSuffix(":ro") {
            throw CommandFailure(
                .notRun, "cannot mount '\(word)': a mount is read-only unless ':rw' is behind it",
                hint: "leave ':ro' out")
        }
        if !path.hasPrefix("/") { path = directory + "/" + path }
        return Run.Mount(path: Self.shortest(path), writable: isWritable)
    }

    /// A path without `.`, `..` and empty parts; links on the way are refused when it is opened.
    private static func shortest(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// `NAME=value`; nothing of the caller's own environment comes along.
    func variable(_ word: String) throws(CommandFailure) -> Run.Variable {
        guard let sign = word.firstIndex(of: "="), sign > word.startIndex else {
            throw CommandFailure(.notRun, "cannot set '\(word)': it is not of the form NAME=value")
        }
        return Run.Variable(
            name: String(word[..<sign]), value: String(word[word.index(after: sign)...]))
    }

    /// `host:port`, as an entry of `network.allow` has it; whether the policy grants it is for the
    /// supervisor to say.
    func destination(_ word: String) throws(CommandFailure) -> String {
        do throws(MalformedDestination) {
            return try Destination(word).description
        } catch {
            throw CommandFailure(.notRun, "cannot allow '\(word)': \(error.message)")
        }
    }
}
