import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol
import Synchronization
import Testing

/// The gateway's end of its conversation with the broker.
final class FakeGateway: Sendable {
    private let socket: Descriptor
    private let last = Mutex<UInt64>(0)

    init(owning socket: consuming Descriptor) throws {
        self.socket = socket
        try Socket.setReceiveTimeout(of: self.socket.raw, milliseconds: 20_000)
    }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) throws { try Socket.send(bytes, over: socket.raw) }

    /// Sends an event; waits while the broker does not read.
    func tell(_ event: EgressEvent) throws { try send(try #require(event.encoded())) }

    /// The next notice; nil when the broker has closed its end.
    func notice() throws -> EgressNotice? {
        guard let datagram = try Socket.receive(limit: 64 << 10, descriptors: 0, over: socket.raw)
        else { throw NothingCame() }
        return datagram.bytes.isEmpty ? nil : try EgressNotice(decoding: datagram.bytes)
    }

    /// Tells of another sandbox until the socket takes no more, as in a flood.
    func fill() throws {
        try Descriptor.setNonblocking(socket.raw)
        do {
            while true { try decide(77, name: "x") }
        } catch let error as KernelError where error.errno == EAGAIN {
            // Full: what is decided now is held back.
        }
        try socket.setNonblocking(false)
    }

    /// Closes its end, as its death does.
    func die() throws { try Socket.end(socket.raw) }

    /// Tells a decision about 169.254.169.254 and gives its number.
    @discardableResult
    func decide(
        _ sandbox: UInt64, port: UInt16 = 80, _ denial: Denial? = metadata, name: String = "",
        owner: String = "", time: UInt64 = 1_000_000
    ) throws -> UInt64 {
        let number = last.withLock { last in
            last += 1
            return last
        }
        try tell(
            .decided(
                EgressDecision(
                    number: number, sandbox: sandbox, owner: owner, time: time, kind: .connect,
                    name: name, address: IPAddress(v4: 0xa9fe_a9fe), port: port, denial: denial,
                    rule: denial == nil ? "api.example.com:443" : "",
                    place: denial == nil ? "policies/default.yaml:9" : "")))
        return number
    }

    /// The refusal of the metadata service.
    static let metadata = Denial(
        .deniedSet, set: .metadata, place: "policies/default.yaml:21")
}
