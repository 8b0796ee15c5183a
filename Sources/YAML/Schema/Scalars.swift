extension Kind where Value == Int {
    /// A whole number in decimal.
    public static func integer(_ range: ClosedRange<Int>) -> Kind {
        let takes = "whole number, \(range.lowerBound) to \(range.upperBound)"
        return Kind(scalar: takes) { text throws(Wrong) in
            try wholeNumber(text).within(range, takes)
        }
    }

    /// A number of bytes: `128MiB`, `64KiB`, `1GiB` or plain bytes.
    public static func size(_ range: ClosedRange<Int>) -> Kind {
        let takes = "size, \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound))"
        return Kind(scalar: takes) { text throws(Wrong) in
            let number = text.prefix { $0.isASCII && $0.isNumber }
            let units = ["": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
            guard let shift = units[String(text.dropFirst(number.count))] else {
                throw Wrong("write bytes, or a number with KiB, MiB, GiB or TiB, like 128MiB")
            }
            let (bytes, isTooLarge) = try wholeNumber(String(number))
                .multipliedReportingOverflow(by: 1 << shift)
            guard !isTooLarge else { throw Wrong("must be \(takes)") }
            return try bytes.within(range, takes)
        }
    }

    /// CPU cores as thousandths: `1`, `0.5`, `1.25`.
    public static func cores(_ range: ClosedRange<Int>) -> Kind {
        let takes = "cores, \(coresText(range.lowerBound)) to \(coresText(range.upperBound))"
        return Kind(scalar: takes) { text throws(Wrong) in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let fraction = parts.count > 1 ? parts[1] : "0"
            guard parts.count <= 2, (1...3).contains(fraction.count) else {
                throw Wrong("write cores with at most three decimals, like 0.5")
            }
            let whole = try wholeNumber(String(parts[0]))
            // A leading 1 keeps the fraction's zeros: .05 is 1050 - 1000 thousandths.
            let padded = "1\(fraction)" + String(repeating: "0", count: 3 - fraction.count)
            guard whole <= 1_000_000 else { throw Wrong("must be \(takes)") }
            return try (whole * 1000 + wholeNumber(padded) - 1000).within(range, takes)
        }
    }
}

extension Kind where Value == Duration {
    /// A time: `500ms`, `30s`, `10m`, `1h`, `1d`; `step` is what it must be a multiple of.
    public static func duration(
        _ range: ClosedRange<Duration>, step: Duration = .milliseconds(1)
    ) -> Kind {
        let takes = "time, \(durationText(range.lowerBound)) to \(durationText(range.upperBound))"
        return Kind(scalar: takes) { text throws(Wrong) in
            let number = text.prefix { $0.isASCII && $0.isNumber }
            let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
            guard let unit = units[String(text.dropFirst(number.count))] else {
                throw Wrong("write a whole number with ms, s, m, h or d, like 30s")
            }
            let (milliseconds, isTooLarge) = try wholeNumber(String(number))
                .multipliedReportingOverflow(by: unit)
            guard !isTooLarge, milliseconds <= Int.max / 1000 else {
                throw Wrong("must be \(takes)")
            }
            let value = Duration.milliseconds(milliseconds)
            guard range.contains(value) else { throw Wrong("must be \(takes)") }
            guard milliseconds % step.wholeMilliseconds == 0 else {
                throw Wrong("must be a multiple of \(durationText(step))")
            }
            return value
        }
    }
}

extension Kind where Value == Bool {
    /// `true` or `false`, and no other word for them.
    public static var boolean: Kind {
        Kind(scalar: "`true` or `false`") { text throws(Wrong) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw Wrong("write true or false")
            }
        }
    }
}

extension Kind where Value == String {
    /// Text on one line without control characters, at most `limit` bytes.
    public static func text(limit: Int = 512) -> Kind {
        Kind(scalar: "text") { text throws(Wrong) in
            guard text.utf8.count <= limit else {
                throw Wrong("longer than \(limit) bytes")
            }
            guard
                !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else { throw Wrong("control characters and line breaks are not allowed") }
            return text
        }
    }

    /// A name: `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit, at most `limit`.
    public static func name(limit: Int = 32) -> Kind {
        Kind(scalar: "name, a-z 0-9 - _, at most \(limit)") { text throws(Wrong) in
            let isFit = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
            guard isFit, (1...limit).contains(text.utf8.count), text.first?.isPunctuation == false
            else {
                throw Wrong(
                    "a name has 1 to \(limit) of a-z, 0-9, - and _, a letter or digit first")
            }
            return text
        }
    }

    /// An absolute path in its shortest form: no `.`, `..`, `//` or trailing `/`.
    public static var path: Kind {
        Kind(scalar: "absolute path") { text throws(Wrong) in
            try checkPath(text)
            return text
        }
    }

    /// One of a few words.
    public static func word(of words: [String]) -> Kind {
        Kind(scalar: words.map { "`\($0)`" }.joined(separator: ", ")) { text throws(Wrong) in
            guard words.contains(text) else {
                let hint = nearest(text, among: words).map { "did you mean '\($0)'?" }
                throw Wrong(hint ?? "must be one of \(words.joined(separator: ", "))")
            }
            return text
        }
    }
}

extension Kind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of an enumeration's words.
    public static var choice: Kind {
        let words = Value.allCases.map(\.rawValue)
        let word = Kind<String>.word(of: words)
        return Kind(takes: word.takes) { node, reader in
            word.read(node, &reader).flatMap(Value.init(rawValue:))
        }
    }
}

/// Throws unless `text` is an absolute path in its shortest form and fit to be mounted: at most
/// 1024 bytes, no control characters.
public func checkPath(_ text: String) throws(Wrong) {
    guard text.hasPrefix("/") else { throw Wrong("must be an absolute path, beginning with /") }
    guard text.utf8.count <= 1024 else { throw Wrong("longer than 1024 bytes") }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
        throw Wrong("control characters are not allowed in a path")
    }
    guard text != "/" else { return }
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    where part.isEmpty || part == "." || part == ".." {
        throw Wrong("must be a path in its shortest form: no '..', '.', '//' or '/' at its end")
    }
}

private func wholeNumber(_ text: String) throws(Wrong) -> Int {
    let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isPlain, !text.isEmpty, text == "0" || text.first != "0" else {
        throw Wrong("a whole number in decimal is needed, without leading zeros")
    }
    guard let number = Int(text) else { throw Wrong("the number is too large") }
    return number
}

extension Int {
    fileprivate func within(_ range: ClosedRange<Int>, _ takes: String) throws(Wrong) -> Int {
        guard range.contains(self) else { throw Wrong("must be \(takes)") }
        return self
    }
}
