import Glibc
import Testing

@testable import Kernel

@Suite struct StreamTests {
    @Test func `poll tells what is ready and passes over what is not asked for`() throws {
        let pipe = try Pipe()
        let asked = [
            Interest(pipe.read.raw, readable: true), Interest(pipe.write.raw, writable: true),
            Interest(-1, readable: true),
        ]
        var ready = try poll(asked, milliseconds: 0)
        #expect(ready.map(\.readable) == [false, false, false])
        #expect(ready.map(\.writable) == [false, true, false])
        #expect(ready.map(\.ended) == [false, false, false])
        try pipe.write.write([1])
        ready = try poll(asked, milliseconds: nil)
        #expect(ready.map(\.readable) == [true, false, false])
    }

    @Test func `poll tells the end of a pipe`() throws {
        let ready = try Pipe().split { (read, write) throws(KernelError) in
            discard(write)
            return try poll([Interest(read.raw, readable: true)], milliseconds: nil)
        }
        #expect(ready[0].readable && ready[0].ended)
    }

    @Test func `sending takes what fits and no more`() throws {
        let pair = try Socket.seqpacketPair()
        let sent = try Socket.sendNow([1, 2, 3][...], over: pair.ours.raw)
        #expect(sent == 3)
        var fitting = 1
        for _ in 0..<100_000 where fitting > 0 {
            fitting = try Socket.sendNow(ArraySlice(repeating: 0, count: 4096), over: pair.ours.raw)
        }
        #expect(fitting == 0, "a full socket takes nothing and does not block")
    }

    @Test func `a reader that is gone is an error and no signal`() async {
        await #expect(processExitsWith: .success) {
            ignoreBrokenPipes()
            let code = try Pipe().split { (read, write) throws(KernelError) -> CInt in
                discard(read)
                do throws(KernelError) {
                    _ = try write.writeOnce([1])
                    return 0
                } catch {
                    return error.errno
                }
            }
            exit(code == EPIPE ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func `a half-closed socket ends for the other side only`() throws {
        let pair = try Socket.seqpacketPair()
        try Socket.endWriting(pair.ours.raw)
        #expect(try pair.theirs.read(limit: 1) == [])
        _ = try Socket.sendNow([7], over: pair.theirs.raw)
        #expect(try pair.ours.read(limit: 1) == [7])
    }

    @Test func `a line is read to its end and not a byte further`() throws {
        let pipe = try Pipe()
        try pipe.write.write(Array("one\ntwo\n\nrest".utf8))
        #expect(try Terminal.readLine(pipe.read, limit: 3) == Array("one".utf8))
        let error = #expect(throws: KernelError.self) {
            try Terminal.readLine(pipe.read, limit: 2)
        }
        #expect(error?.errno == EFBIG)
    }
}

/// Ends a descriptor's life.
private func discard(_ descriptor: consuming Descriptor) {}

@Suite struct SecretLineTests {
    private func typed(_ text: String, limit: Int = 100) -> (SecretLine.Outcome, String) {
        var line = SecretLine(limit: limit)
        var outcome = SecretLine.Outcome.more
        for byte in Array(text.utf8) where outcome == .more { outcome = line.take(byte) }
        return (outcome, String(decoding: line.bytes, as: UTF8.self))
    }

    @Test func `a line ends with return, and its letters can be taken back`() {
        #expect(typed("abc") == (.more, "abc"))
        #expect(typed("abc\n") == (.finished, "abc"))
        #expect(typed("abx\u{7f}c\u{8}d\r") == (.finished, "abd"))
        #expect(typed("a漢\u{7f}b\n") == (.finished, "ab"))
        #expect(typed("\u{7f}a\n") == (.finished, "a"))
        #expect(typed("abc\u{15}d\n") == (.finished, "d"))
    }

    @Test func `control-C and control-D on an empty line give up`() {
        #expect(typed("ab\u{3}") == (.cancelled, "ab"))
        #expect(typed("\u{4}") == (.cancelled, ""))
        #expect(typed("ab\u{4}") == (.finished, "ab"))
    }

    @Test func `a line over the limit gives up`() {
        #expect(typed("abc\n", limit: 3) == (.finished, "abc"))
        #expect(typed("abcd\n", limit: 3) == (.tooLong, "abc"))
    }
}

@Suite struct SurroundingsTests {
    @Test func `paths become absolute and free of links`() throws {
        #expect(try Surroundings.absolutePath("/usr/./lib/..") == "/usr")
        let error = #expect(throws: KernelError.self) {
            try Surroundings.absolutePath("/no/such")
        }
        #expect(error?.errno == ENOENT)
    }

    @Test func `variables are read, and absent ones are nil`() {
        #expect(Surroundings.variable("PATH")?.isEmpty == false)
        #expect(Surroundings.variable("CORRAL_NO_SUCH_VARIABLE") == nil)
    }

    @Test func `a pipe is no terminal`() throws {
        let pipe = try Pipe()
        #expect(!Terminal.isTerminal(pipe.read.raw))
        #expect(Terminal.columns(of: pipe.read.raw) == nil)
    }
}
