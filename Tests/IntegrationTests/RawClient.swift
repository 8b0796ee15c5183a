import Glibc
import JSONRPC
import Kernel

/// A client that writes whatever bytes a test wants to the control socket, and reads lines.
struct RawClient: ~Copyable {
    private let socket: Descriptor
    private let poller: Poller
    private var held: [UInt8] = []
    private static let chunkBytes = 256 << 10

    init(_ path: String) throws {
        let socket = try Socket.connect(to: path)
        let poller = try Poller()
        try poller.add(socket.raw, token: 0)
        self.socket = socket
        self.poller = poller
    }

    /// Sends bytes as they are.
    borrowing func send(_ bytes: [UInt8]) throws {
        try socket.write(bytes, to: "control socket")
    }

    /// Sends one line.
    borrowing func send(_ line: String) throws {
        try send(Array(line.utf8) + [UInt8(ascii: "\n")])
    }

    /// Says hello in the legacy era.
    mutating func initialize() throws {
        let hello: JSON = [
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": [
                "protocolVersion": "2025-06-18", "capabilities": [:],
                "clientInfo": ["name": "test", "version": "1"],
            ],
        ]
        guard let answer = try request(hello), answer["result"] != nil else {
            throw HarnessError("initialize was refused")
        }
        try send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
    }

    /// Sends a request and answers what comes back for its id; nil when the socket was closed.
    mutating func request(_ message: JSON) throws -> JSON? {
        try send(message.text)
        while let answer = try nextMessage() {
            if answer["id"] == message["id"] { return answer }
        }
        return nil
    }

    /// The next message; nil when the other side closed.
    mutating func nextMessage() throws -> JSON? {
        while true {
            if let end = held.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(held[..<end])
                held.removeSubrange(...end)
                return try JSON.parse(line)
            }
            guard try poller.wait(milliseconds: Patience.answer).isEmpty == false else {
                throw HarnessError("no answer within \(Patience.answer) ms")
            }
            // A reset is an end too.
            guard let bytes = try? socket.read(limit: Self.chunkBytes), !bytes.isEmpty else {
                return nil
            }
            held += bytes
        }
    }
}
