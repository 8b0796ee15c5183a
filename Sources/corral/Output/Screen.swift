internal import Kernel

/// How a stream wants its text: how wide, and whether with colours.
struct Screen: Equatable {
    /// Colours that carry meaning; each is also said in words.
    enum Tint: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// Columns, or nil when lines may be as long as they like (no terminal).
    var width: Int?
    /// Whether escape sequences for colours are welcome.
    var coloured: Bool

    /// A stream that is no terminal.
    static let plain = Screen(width: nil, coloured: false)

    /// Makes a screen of known properties.
    init(width: Int?, coloured: Bool) {
        self.width = width
        self.coloured = coloured
    }

    /// Asks the descriptor and the environment; NO_COLOR and TERM=dumb are honoured.
    init(descriptor: CInt) {
        guard Terminal.isTerminal(descriptor) else {
            self = .plain
            return
        }
        width = max(Terminal.columns(of: descriptor) ?? 80, 40)
        coloured =
            (Surroundings.variable("NO_COLOR") ?? "").isEmpty
            && Surroundings.variable("TERM") != "dumb"
    }

    /// The text in a colour, or as it is.
    func paint(_ text: String, _ tint: Tint?) -> String {
        guard coloured, let tint, !text.isEmpty else { return text }
        return "\u{1b}[\(tint.rawValue)m\(text)\u{1b}[0m"
    }
}
