internal import Control
internal import Kernel

/// The process's own three streams.
final class Console: Sendable {
    /// The one console there is.
    static let shared = Console()

    /// Standard input.
    let input = Descriptor(owning: 0)
    private let output = Descriptor(owning: 1)
    private let error = Descriptor(owning: 2)

    private init() {}

    /// Whether a person types at standard input.
    var isInteractive: Bool { Terminal.isTerminal(0) && Terminal.isTerminal(2) }

    /// How standard output wants its text.
    var screen: Screen { Screen(descriptor: 1) }

    /// How standard error wants its text.
    var errorScreen: Screen { Screen(descriptor: 2) }

    /// A number of its own for one of the streams, 0 to 2.
    func stream(_ number: CInt) throws(KernelError) -> Descriptor {
        switch number {
        case 0: try input.duplicate()
        case 1: try output.duplicate()
        default: try error.duplicate()
        }
    }

    /// Writes to standard output.
    func print(_ text: String) throws(CommandFailure) {
        guard !text.isEmpty else { return }
        do {
            try output.write(Array(text.utf8), to: "standard output")
        } catch {
            throw CommandFailure(.failed, "cannot print: \(error)")
        }
    }

    /// Writes to standard error.
    func complain(_ text: String) throws(CommandFailure) {
        guard !text.isEmpty else { return }
        do {
            try error.write(Array(text.utf8), to: "standard error")
        } catch {
            throw CommandFailure.told(.failed)
        }
    }
}
