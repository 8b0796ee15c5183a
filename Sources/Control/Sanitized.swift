/// Which characters that lay text out may stay.
public enum TextLayout: Sendable, Equatable {
    /// None: the text belongs on one line.
    case line
    /// Line feeds and tabs.
    case block
}

/// Text from outside, made safe to print: control characters, escape sequences, bidirectional
/// overrides, zero-width, tag and private-use characters become visible (`\x1b`, `\u{202e}`).
///
/// The variation selector for emoji is the only invisible character that passes.
public func sanitized(_ text: String, layout: TextLayout = .line) -> String {
    guard text.unicodeScalars.contains(where: { isHidden($0, layout) }) else { return text }
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isHidden(scalar, layout) {
            clean.append(contentsOf: visible(scalar).unicodeScalars)
        } else {
            clean.append(scalar)
        }
    }
    return String(clean)
}

/// A JSON text with the same meaning that is safe to print: what `sanitized(_:layout:)` would make
/// visible becomes a `\uXXXX` escape of JSON.
public func sanitizedJSON(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isHidden($0, .block) }) else { return text }
    var clean = ""
    for scalar in text.unicodeScalars {
        guard isHidden(scalar, .block) else {
            clean.unicodeScalars.append(scalar)
            continue
        }
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            clean += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return clean
}

private func isHidden(_ scalar: Unicode.Scalar, _ layout: TextLayout) -> Bool {
    if scalar.value < 0x7f {
        if scalar.value >= 0x20 { return false }
        return layout == .line || (scalar != "\n" && scalar != "\t")
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator:
        return true
    default:
        return scalar.properties.isDefaultIgnorableCodePoint && scalar.value != 0xfe0f
    }
}

/// The escape that stands for a scalar: `\n`, `\x1b`, `\u{202e}`.
private func visible(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default: break
    }
    let digits = String(scalar.value, radix: 16)
    guard scalar.value < 0x100 else { return "\\u{\(digits)}" }
    return "\\x" + (digits.count == 1 ? "0" : "") + digits
}
