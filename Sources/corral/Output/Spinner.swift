internal import Control

/// One line on a terminal that shows that work goes on, and which; nothing elsewhere.
final class Spinner {
    private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    private let screen: Screen
    private let started = ContinuousClock.now
    private let write: (String) -> Void
    private var text: String
    private var frame = 0
    private var isShown = false

    /// Starts with a text; `write` takes what goes to the terminal.
    init(_ text: String, on screen: Screen, write: @escaping (String) -> Void) {
        self.text = text
        self.screen = screen
        self.write = write
    }

    /// What to do while the daemon works: turn, and show what it tells.
    var waiting: ControlClient.Waiting {
        var waiting = ControlClient.Waiting.work
        guard screen.width != nil else { return waiting }
        waiting.progress = { [self] in text = $0 }
        waiting.tick = { [self] in turn() }
        return waiting
    }

    /// Shows the next frame.
    func turn() {
        guard let width = screen.width else { return }
        let seconds = started.duration(to: .now).components.seconds
        let line = "\(Self.frames[frame]) \(sanitized(text))" + (seconds > 0 ? " \(seconds) s" : "")
        frame = (frame + 1) % Self.frames.count
        isShown = true
        write("\r\u{1b}[2K" + cut(line, to: width - 1))
    }

    /// Takes the line away.
    func clear() {
        guard isShown else { return }
        isShown = false
        write("\r\u{1b}[2K")
    }
}
