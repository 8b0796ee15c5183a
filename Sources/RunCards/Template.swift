/// A word with placeholders: `{prefix}`, `{NAME}`; `{{` and `}}` stand for the braces themselves.
struct Template: Sendable, Equatable {
    /// A piece of the word.
    enum Part: Sendable, Equatable {
        /// Text that stays.
        case text(String)
        /// A placeholder, and the offset of its `{` in Unicode scalars.
        case placeholder(String, offset: Int)
    }

    /// Why a word is not a template.
    struct Malformed: Error, Equatable {
        /// The offset in Unicode scalars.
        var offset: Int
        /// What is wrong.
        var message: String
    }

    var parts: [Part]

    /// Reads a word.
    init(_ word: String) throws(Malformed) {
        let scalars = Array(word.unicodeScalars)
        var text = String.UnicodeScalarView()
        parts = []
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            guard scalar == "{" || scalar == "}" else {
                text.append(scalar)
                index += 1
                continue
            }
            if index + 1 < scalars.count, scalars[index + 1] == scalar {
                text.append(scalar)
                index += 2
                continue
            }
            guard scalar == "{", let end = scalars[index...].firstIndex(of: "}") else {
                let message = "a lone '\(scalar)': write '\(scalar)\(scalar)' for the character"
                throw Malformed(offset: index, message: message)
            }
            if !text.isEmpty { parts.append(.text(String(text))) }
            text = String.UnicodeScalarView()
            let name = scalars[(index + 1)..<end].map(String.init).joined()
            parts.append(.placeholder(name, offset: index))
            index = end + 1
        }
        if !text.isEmpty { parts.append(.text(String(text))) }
    }

    /// The placeholder when it is all of the word.
    var only: String? {
        guard parts.count == 1, case .placeholder(let name, _) = parts[0] else { return nil }
        return name
    }

    /// The placeholders and their offsets.
    var placeholders: [(name: String, offset: Int)] {
        parts.compactMap { part in
            if case .placeholder(let name, let offset) = part { (name, offset) } else { nil }
        }
    }

    /// The word with each placeholder replaced by what `value` gives.
    func filled(_ value: (String) -> String) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .placeholder(let name, _): value(name)
            }
        }.joined()
    }
}
