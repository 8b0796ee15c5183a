import Glibc
import Testing

@testable import Kernel

@Suite(.serialized) struct DescriptorTests {
    @Test func `a descriptor is closed when its owner goes away`() throws {
        // In a process of its own: other tests open and close beside this one.
        let pipe = try Pipe()
        let raw = pipe.read.raw
        #expect(fcntl(raw, F_GETFD) >= 0)
        let other = try pipe.read.duplicate()
        let copy = other.raw
        _ = consume other
        #expect(fcntl(copy, F_GETFD) < 0 || copy != raw)
        #expect(fcntl(raw, F_GETFD) >= 0)
        _ = consume pipe
    }

    @Test func `everything is born CLOEXEC`() throws {
        let pipe = try Pipe()
        let file = try Descriptor.open("/dev/null", O_RDONLY)
        let pair = try Socket.seqpacketPair()
        for raw in [pipe.read.raw, pipe.write.raw, file.raw, pair.ours.raw, pair.theirs.raw] {
            #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0)
        }
        _ = consume pipe
        _ = consume file
        _ = consume pair
    }

    @Test func `descriptors travel with a datagram, and only as many as were asked for`() throws {
        let pair = try Socket.seqpacketPair()
        let pipe = try Pipe()
        try Socket.send(
            [1, 2], descriptors: [pipe.write.raw, pipe.write.raw], over: pair.ours.raw)
        guard let datagram = try Socket.receive(limit: 16, descriptors: 1, over: pair.theirs.raw)
        else { throw KernelError("recvmsg", errno: EAGAIN) }
        let bytes = datagram.bytes
        let passed = datagram.descriptors
        let truncated = datagram.truncated
        #expect(bytes == [1, 2])
        #expect(passed.count == 1)
        #expect(truncated == true)
        for raw in passed { #expect(close(raw) == 0) }
        _ = consume pipe
        _ = consume pair
    }

    @Test func `descriptors that nobody asked for are dropped by the kernel, never opened here`()
        throws
    {
        let pair = try Socket.seqpacketPair()
        let pipe = try Pipe()
        try Socket.send([1], descriptors: [pipe.write.raw], over: pair.ours.raw)
        let reader = try pipe.read.duplicate()
        _ = consume pipe
        guard let datagram = try Socket.receive(limit: 16, descriptors: 0, over: pair.theirs.raw)
        else { throw KernelError("recvmsg", errno: EAGAIN) }
        let truncated = datagram.truncated
        #expect(truncated == true)
        // The last writing end went with the datagram.
        #expect(try reader.read(limit: 1) == [])
        _ = consume pair
    }

    @Test func `a child without a pidfd is ended and reaped by its pid`() throws {
        let child = try Child.spawn(
            "/bin/sleep", arguments: ["1000"], environment: [], descriptors: [])
        let pid = child.pid
        Child.end(unreaped: pid)
        #expect(kill(pid, 0) < 0 && errno == ESRCH)
    }

    @Test func `a lock lives as long as any copy of its descriptor`() throws {
        let path = "/tmp/corral-test-lock-\(getpid())-\(System.monotonicMicroseconds)"
        try Files.create(path, mode: 0o600, text: "")
        defer {
            do { try Files.remove(path) } catch { Issue.record("left: \(error)") }
        }
        let first = try Descriptor.open(path, O_RDWR)
        let copy = try first.duplicate()
        let other = try Descriptor.open(path, O_RDWR)
        let mine = try first.lockExclusively()
        _ = consume first
        let whileCopied = try other.lockExclusively()
        _ = consume copy
        let afterwards = try other.lockExclusively()
        #expect([mine, whileCopied, afterwards] == [true, false, true])
    }

    @Test func `descriptors that were left open by our parent stay out of our children`() throws {
        let raw = try Descriptor.open("/dev/null", O_RDONLY).release()
        #expect(fcntl(raw, F_SETFD, 0) == 0)
        try Identity.sealDescriptors()
        #expect(fcntl(raw, F_GETFD) == FD_CLOEXEC)
        #expect((0...2).allSatisfy { fcntl($0, F_GETFD) >= 0 })
        #expect(close(raw) == 0)
    }

    @Test func `a datagram beyond the limit says that it was cut`() throws {
        let pair = try Socket.seqpacketPair()
        try Socket.send([UInt8](repeating: 7, count: 64), over: pair.ours.raw)
        guard let datagram = try Socket.receive(limit: 16, descriptors: 0, over: pair.theirs.raw)
        else { throw KernelError("recvmsg", errno: EAGAIN) }
        let truncated = datagram.truncated
        #expect(truncated == true)
        _ = consume pair
    }

    @Test func `reading more than the limit is refused, not cut`() throws {
        let file = try Descriptor.open("/dev/zero", O_RDONLY)
        var refused: KernelError?
        do throws(KernelError) { _ = try file.readAll(limit: 100) } catch { refused = error }
        #expect(refused?.errno == EFBIG)
    }

    @Test func `an error names the call, the object and the reason`() {
        #expect(throws: KernelError("open", "/no/such/file", errno: ENOENT)) {
            _ = try Descriptor.open("/no/such/file", O_RDONLY)
        }
        let error = KernelError("open", "/no/such/file", errno: ENOENT)
        #expect(error.description == "open '/no/such/file': No such file or directory")
    }
}
