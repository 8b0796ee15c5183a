internal import Control

/// The steps of a connection's test in words.
enum TestText {
    /// One line a step.
    static func steps(_ result: ConnectionsTest.Result, _ screen: Screen) -> [String] {
        var table = Table(["STEP", "RESULT", "TIME", "FOUND"])
        for step in result.steps {
            let time = step.outcome == .skipped ? "" : "\(step.milliseconds) ms"
            table.add(
                .init(step.name), .init(word(step.outcome), tint(step.outcome)), .init(time),
                .init(step.detail))
        }
        return table.lines(screen)
    }

    private static func word(_ outcome: ConnectionsTest.Step.Outcome) -> String {
        switch outcome {
        case .passed: "ok"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    private static func tint(_ outcome: ConnectionsTest.Step.Outcome) -> Screen.Tint {
        switch outcome {
        case .passed: .green
        case .failed: .red
        case .skipped: .dim
        }
    }
}
