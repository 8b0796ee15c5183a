import ArgumentParser
import Control
import Kernel
import Testing

@testable import corral

@Suite struct RunTests {
    private let typed = RunWords(directory: "/home/ada/src")

    private func parsed(_ words: String...) throws -> RunCommand {
        try #require(
            try Corral.parseAsRoot(GlobalOptions.last(in: ["run"] + words)) as? RunCommand)
    }

    @Test func `the command's own options are its own, with and without --`() throws {
        for words in [["--", "ls", "-l", "--json"], ["ls", "-l", "--json"]] {
            let run = try #require(
                try Corral.parseAsRoot(["run", "--policy", "p"] + words) as? RunCommand)
            #expect(try run.params(typed).command == ["ls", "-l", "--json"])
            #expect(!run.global.json)
        }
        let inner = try parsed("--policy", "p", "--", "sh", "-c", "x", "--", "y")
        #expect(try inner.params(typed).command == ["sh", "-c", "x", "--", "y"])
    }

    @Test func `mounts and variables are read as they are meant`() throws {
        let run = try parsed(
            "--policy", "p", "--mount", ".:rw", "--mount", "/srv/a:b", "--mount", "../x/./y//",
            "--env", "A=b=c", "--env", "B=", "--allow", "a.example:443", "--allow", "[::1]:1-2",
            "--", "x")
        let params = try run.params(typed)
        #expect(
            params.mounts == [
                .init(path: "/home/ada/src", writable: true),
                .init(path: "/srv/a:b", writable: false),
                .init(path: "/home/ada/x/y", writable: false),
            ])
        #expect(
            params.environment == [.init(name: "A", value: "b=c"), .init(name: "B", value: "")])
        #expect(params.allow == ["a.example:443", "[::1]:1-2"])
        #expect(params.directory == "/home/ada/src")
    }

    @Test(arguments: [
        (["--mount", ""], "cannot mount ''"), (["--mount", ":rw"], "cannot mount ':rw'"),
        (["--mount", "/a:ro"], "cannot mount '/a:ro'"), (["--env", "A"], "cannot set 'A'"),
        (["--env", "=a"], "cannot set '=a'"), (["--bogus"], "cannot run '--bogus': there is no"),
        (["--allow", "a.example"], "cannot allow 'a.example': write host:port"),
    ])
    func `a mistake is told with what was typed`(words: [String], begins: String) throws {
        let all = ["run", "--policy", "p"] + words + ["--", "x"]
        let run = try #require(try Corral.parseAsRoot(all) as? RunCommand)
        let error = try #require(throws: CommandFailure.self) { try run.params(typed) }
        #expect(error.status == .notRun)
        #expect(error.lines[0].hasPrefix("corral: " + begins), "\(error.lines)")
    }

    @Test func `a corrald of one's own is asked for in so many words`() throws {
        let alone = try parsed("--standalone", "--policies", "/p", "--policy", "p", "x")
        #expect(alone.standalone && alone.policies == "/p" && alone.command == ["x"])
        #expect(try !parsed("--policy", "p", "x", "--standalone").standalone)
    }

    @Test func `Corral's own failures have statuses that no command's can be taken for`() {
        func status(_ step: String?, _ errno: Int?) -> CommandStatus {
            var failure = Failure(.startFailed, "m")
            (failure.step, failure.errno) = (step, errno)
            return CommandFailure(failure, doing: "x").asRun.status
        }
        #expect(status("execute", 2) == .commandMissing)
        #expect(status("execute", 13) == .notExecutable)
        #expect(status("execute", 8) == .notExecutable)
        #expect(status("mount-root", 2) == .notRun)
        #expect(status(nil, nil) == .notRun)
        let own: [CommandStatus] = [.notRun, .notExecutable, .commandMissing]
        #expect(own.map(\.rawValue) == [125, 126, 127])
        for status in CommandStatus.allCases where status != .success {
            var run = status
            run.meansRun()
            #expect(run.rawValue >= 125)
        }
    }

    @Test func `an end becomes a status and a line for each limit`() {
        func text(_ status: Int, _ signal: Int, _ limits: [String] = []) -> RunText {
            RunText(
                name: "make", RunEnded(run: 1, status: status, signal: signal, limits: limits))
        }
        #expect(text(0, 0).status == 0 && text(0, 0).complaint.isEmpty)
        #expect(text(7, 0).status == 7)
        #expect(text(-1, 15).status == 143)
        let killed = text(-1, 9, ["memory_exceeded (128 MiB)"])
        #expect(killed.status == 137)
        #expect(
            killed.complaint == "corral: make ended by SIGKILL: memory_exceeded (128 MiB)\n")
        #expect(
            text(1, 0, ["pids_exceeded (12)"]).complaint
                == "corral: make ended with status 1: pids_exceeded (12)\n")
        #expect(text(-1, 99).status == 227)
        let refused = RunEnded(
            run: 1, status: 7, signal: 0, limits: [], network: ["network_denied: 10.0.0.1:80"])
        #expect(
            RunText(name: "curl", refused).complaint == "corral: network_denied: 10.0.0.1:80\n")
    }

    /// A flow from one pipe to another; `step` moves what can be moved now.
    private func step(_ flow: Flow) throws {
        try flow.move(try poll(flow.interests, milliseconds: 0)[...])
    }

    @Test func `bytes pass through whole, and the end of the source ends the flow`() throws {
        let source = try Pipe()
        let target = try Pipe()
        let flow = Flow(
            from: try source.read.duplicate(), to: try target.write.duplicate(), ownsSink: false)
        try source.write.write([0, 255, 10, 13])
        for _ in 0..<2 { try step(flow) }
        #expect(try target.read.read(limit: 100) == [0, 255, 10, 13])
        #expect(!flow.isOver)
        try source.split { (_, write) throws(KernelError) in _ = consume write }
        for _ in 0..<2 { try step(flow) }
        #expect(flow.isOver)
    }

    @Test func `a source waits while its sink is full, and nothing is lost`() throws {
        let source = try Pipe()
        let target = try Pipe()
        try target.write.setNonblocking(true)
        let flow = Flow(
            from: try source.read.duplicate(), to: try target.write.duplicate(), ownsSink: true)
        let block = (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var sent = 0
        while try poll([Interest(source.write.raw, writable: true)], milliseconds: 0)[0].writable {
            try source.write.write(block)
            sent += 1
            try step(flow)
        }
        // A pipe on each side and the queue between: full, not endless.
        #expect(sent > 16 && sent < 256)
        var received = 0
        while received < sent {
            #expect(try target.read.read(limit: 4_096) == block)
            received += 1
            try step(flow)
            try step(flow)
        }
    }

    @Test func `a sink that is gone ends the flow, its own even before there are bytes`() throws {
        for ownsSink in [true, false] {
            ignoreBrokenPipes()
            let source = try Pipe()
            let flow: Flow
            do {
                let target = try Pipe()
                flow = Flow(
                    from: try source.read.duplicate(), to: try target.write.duplicate(),
                    ownsSink: ownsSink)
            }
            try step(flow)
            #expect(flow.isOver == ownsSink)
            guard !ownsSink else { continue }
            try source.write.write([1])
            for _ in 0..<2 { try step(flow) }
            #expect(flow.isOver)
        }
    }

    @Test func `a stream that is open the wrong way round counts as ended`() throws {
        let wrong = try Descriptor.open("/dev/null", 1)  // O_WRONLY, as nohup(1) does
        let target = try Pipe()
        let flow = Flow(
            from: consume wrong, to: try target.write.duplicate(), ownsSink: true)
        try step(flow)
        #expect(flow.isOver)
    }
}
