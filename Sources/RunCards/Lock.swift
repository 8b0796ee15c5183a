public import YAML

/// A requirement with exactly one version: `name==version`.
public struct PinnedPackage: Sendable, Hashable {
    /// The project's name as PyPI compares names: lower case, runs of `-`, `_` and `.` as one `-`.
    public let name: String
    /// The version as written.
    public let version: String

    /// Reads `name==version`; nil for anything else (extras, markers, ranges, URLs).
    public init?(_ text: String) {
        guard let range = text.firstRange(of: "==") else { return nil }
        let name = text[..<range.lowerBound]
        let version = text[range.upperBound...]
        let isFit = { (part: Substring, extra: String) in
            part.utf8.first.map(isAlphanumeric) ?? false
                && part.utf8.allSatisfy { isAlphanumeric($0) || extra.utf8.contains($0) }
        }
        guard isFit(name, "-_."), isFit(version, ".+!_-") else { return nil }
        self.name = Self.normalised(name)
        self.version = String(version)
    }

    private static func normalised(_ name: Substring) -> String {
        let parts = name.lowercased().split { $0 == "-" || $0 == "_" || $0 == "." }
        return parts.joined(separator: "-")
    }
}

/// A lock file: every package of an installation, pinned by version and hash.
///
/// It has the form that `pip install --require-hashes -r` takes. Nothing else may stand in
/// it: no option, no URL, no marker, since pip would obey it.
public struct Lock: Sendable, Equatable {
    /// A package and the digests its files may have.
    public struct Package: Sendable, Equatable {
        /// Name and version.
        public var pin: PinnedPackage
        /// SHA-256 digests in hexadecimal, at least one.
        public var hashes: [String]
    }

    /// The packages in the file's order.
    public var packages: [Package]
    /// The file's text, to be handed to pip as it was checked.
    public var text: String
    /// The file it was read from.
    public var file: String

    /// Reads a lock file's bytes.
    ///
    /// Throws every mistake at once.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> Lock {
        // pip splits lines at more characters than the line feed; none of them may hide here.
        guard bytes.allSatisfy({ $0 == 0x0A || (0x20...0x7E).contains($0) }) else {
            throw Mistakes(Place(file: file), "only printable ASCII and line feeds are accepted")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var parser = LockParser(file: file)
        parser.read(text)
        guard parser.mistakes.isEmpty else { throw Mistakes(parser.mistakes) }
        return Lock(packages: parser.packages, text: text, file: file)
    }
}

extension RunCard {
    /// What of the card's `install.pypi` the lock does not pin, as mistakes of the card.
    public func missing(in lock: Lock) -> [Mistake] {
        let pins = Set(lock.packages.map(\.pin))
        guard let install else { return [] }
        return install.pypi.enumerated().compactMap { index, text in
            guard let pin = PinnedPackage(text), !pins.contains(pin) else { return nil }
            return Mistake(
                place(of: "install.pypi[\(index)]"),
                "'\(text)' is not in \(lock.file) (make the lock again)")
        }
    }
}

private struct LockParser {
    let file: String
    var packages: [Lock.Package] = []
    var mistakes: [Mistake] = []
    /// Whether the line before ended in `\`, so that this one goes on with its package.
    private var continues = false

    init(file: String) {
        self.file = file
    }

    mutating func read(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            read(line, number: index + 1)
            if mistakes.count >= 50 { return }
        }
        let last = Place(file: file, line: lines.count)
        if continues { mistakes.append(Mistake(last, "the last line ends in '\\'")) }
        if packages.isEmpty { mistakes.append(Mistake(last, "no package is pinned")) }
        for package in packages where package.hashes.isEmpty {
            mistakes.append(Mistake(Place(file: file), "'\(package.pin.name)' has no hash"))
        }
        if Set(packages.map(\.pin.name)).count < packages.count {
            mistakes.append(Mistake(Place(file: file), "a package is pinned twice"))
        }
    }

    private mutating func read(_ line: Substring, number: Int) {
        let words = line.split(separator: " ")
        let isComment = words.first?.hasPrefix("#") ?? true
        guard !isComment else {
            // pip joins continued lines before it looks for comments.
            if continues { report(number, "a comment or empty line follows a line ending in '\\'") }
            continues = false
            return
        }
        var rest = words[...]
        if !continues {
            guard let first = rest.popFirst(), let pin = PinnedPackage(String(first)) else {
                return report(number, "'\(printable(String(line)))' is not name==version")
            }
            packages.append(Lock.Package(pin: pin, hashes: []))
        }
        continues = rest.last == "\\"
        if continues { rest.removeLast() }
        for word in rest {
            guard let hash = digest(word) else {
                return report(
                    number, "'\(printable(String(word)))' is not --hash=sha256: and 64 digits")
            }
            packages[packages.count - 1].hashes.append(hash)
        }
    }

    private func digest(_ word: Substring) -> String? {
        let prefix = "--hash=sha256:"
        guard word.hasPrefix(prefix) else { return nil }
        let digits = word.dropFirst(prefix.count)
        let isHex = digits.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        return isHex && digits.utf8.count == 64 ? String(digits) : nil
    }

    private mutating func report(_ line: Int, _ message: String) {
        mistakes.append(Mistake(Place(file: file, line: line), message))
    }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}
