import Kernel

/// What corrald says of itself: one event a line on standard error, for journald or a terminal.
struct Journal {
    /// Events that are not worth a line here: for a supervisor that one person started for one
    /// command, everything that is not trouble.
    var muted: Set<String> = []

    /// Writes `corrald: EVENT key=value …`; control characters in values are made visible.
    func event(_ name: String, _ fields: [(String, String)] = []) {
        guard !muted.contains(name) else { return }
        let line = fields.reduce("corrald: " + name) { line, field in
            line + " \(field.0)=\(Self.visible(field.1))"
        }
        Diagnostics.line(line)
    }

    private static func visible(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value < 0x7f && $0 != "\""
        }
        if plain && !text.isEmpty { return text }
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                "\\x" + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
