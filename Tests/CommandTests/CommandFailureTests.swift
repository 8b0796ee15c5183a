import Control
import JSONRPC
import Testing

@testable import corral

@Suite struct CommandFailureTests {
    @Test func `an error of the daemon is told with reason, rule and hint`() {
        let failure = Failure(
            .memoryExceeded, "cannot call 'a__b': the sandbox used up its memory: 128 MiB",
            rule: "limits.memory", file: "policies/default.yaml", line: 7, hint: "ask for less")
        #expect(
            CommandFailure(failure, doing: "call 'a__b'").lines == [
                "corral: cannot call 'a__b': the sandbox used up its memory: 128 MiB "
                    + "(memory_exceeded, limits.memory, policies/default.yaml:7)",
                "hint: ask for less",
            ])
    }

    @Test func `a bare message is led by what was attempted and repeats no reason`() {
        var failure = Failure(.timeout, "timeout after 30 s")
        failure.hint = nil
        #expect(
            CommandFailure(failure, doing: "call 'x'").lines
                == ["corral: cannot call 'x': timeout after 30 s"])
    }

    @Test func `a server's log and words cannot act on the terminal`() {
        let failure = Failure(
            .startFailed, "cannot start 'x': \u{1b}[2J", hint: "see\u{202e}",
            log: (1...20).map { "line \($0)\r" })
        let lines = CommandFailure(failure, doing: "connect 'x'").lines
        #expect(lines.first == "corral: cannot start 'x': \\x1b[2J (start_failed)")
        #expect(lines.dropFirst().first == "  | line 11\\r")
        #expect(lines.count == 12)
        #expect(lines.last == "hint: see\\u{202e}")
    }

    @Test func `errors are JSON on standard output when JSON is asked for`() {
        let failure = CommandFailure(.unreachable, "cannot reach it", hint: "start it")
        let report = ErrorReport(failure, answersJSON: true)
        #expect(
            report.output
                == #"{"error":{"message":"cannot reach it","#
                + #""data":{"reason":"unreachable","hint":"start it"}}}"# + "\n")
        #expect(report.complaint.isEmpty)
        #expect(report.status == .unreachable)
        let plain = ErrorReport(failure, answersJSON: false)
        #expect(plain.complaint == "corral: cannot reach it\nhint: start it\n")
        #expect(plain.output.isEmpty)
    }

    @Test func `what was told already is not told again`() {
        for answersJSON in [true, false] {
            let report = ErrorReport(CommandFailure.told(.failed), answersJSON: answersJSON)
            #expect(report.output.isEmpty && report.complaint.isEmpty)
            #expect(report.status == .failed)
        }
    }
}
