/// Columns that a text takes on a terminal: East Asian wide characters and emoji take two.
///
/// For text without control characters; marks that combine with a letter count with it.
func columns(_ text: String) -> Int {
    text.reduce(0) { $0 + columns($1) }
}

/// The text cut to a width, with `…` in place of what is left out.
func cut(_ text: String, to width: Int) -> String {
    guard columns(text) > width else { return text }
    var kept = ""
    var used = 1
    for character in text {
        used += columns(character)
        guard used <= width else { break }
        kept.append(character)
    }
    return kept + "…"
}

private func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if scalar.value < 0x1100 { return 1 }
    if character.unicodeScalars.contains(where: { $0.value == 0xfe0f }) { return 2 }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wide.contains { $0.contains(scalar.value) } ? 2 : 1
}

/// Blocks of East Asian wide and full-width characters (Unicode Annex 11).
private let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
    0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1b000...0x1b2ff,
    0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd,
]
