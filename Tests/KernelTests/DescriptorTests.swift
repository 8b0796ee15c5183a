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
