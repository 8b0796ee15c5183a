import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol
import Wire

/// One question on its way through the host's name servers, for all who ask it meanwhile. Each
/// attempt has a socket of its own, so that port and number are both new.
final class Lookup: Source {
    let question: DNSQuestion
    var askers: [Asker] = []
    private let servers: [Endpoint]
    private let timeout: UInt64
    private var left: Int
    private var socket: Descriptor?
    private var stream: Framed?
    private var id: UInt16 = 0

    init(_ question: DNSQuestion, _ settings: ResolverSettings) {
        self.question = question
        servers = settings.servers
        timeout = settings.timeout
        left = settings.servers.count * settings.attempts
    }

    /// The one whose turn it is: `left` counts down from a multiple of their number.
    private var server: Endpoint { servers[(servers.count - 1) - left % servers.count] }

    /// Asks the next name server, or gives up.
    func next(_ gateway: Gateway) {
        while left > 0 {
            left -= 1
            do throws(KernelError) {
                try ask(gateway)
                return
            } catch {
                // No way to this one now.
                continue
            }
        }
        finish(nil, gateway)
    }

    private func ask(_ gateway: Gateway) throws(KernelError) {
        stream = nil
        id = try System.random(2).reduce(0) { $0 << 8 | UInt16($1) }
        let socket = try Internet.datagrams(with: server)
        try gateway.poller.addEdges(socket.raw, token: token)
        let query = DNSQuery(id: id, question).encoded()
        let sent = Internet.send(socket.raw, query, from: 0, to: query.count)
        if case .failed(let errno) = sent { throw KernelError("send", errno: errno) }
        self.socket = consume socket
        gateway.deadlines.set(place, gateway.now + timeout)
    }

    override func due(_ gateway: Gateway) { next(gateway) }

    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        if stream == nil { hear(gateway) } else { hearStream(gateway) }
    }

    private func hear(_ gateway: Gateway) {
        for _ in 0..<Limit.acceptsPerTurn {
            guard let raw = socket?.raw else { return }
            let taken = Internet.receive(
                raw, into: &gateway.room, limit: Limit.upstreamBytes)
            switch taken {
            case .bytes(let count):
                if take(Array(gateway.room[..<count]), gateway) { return }
            case .ended: continue
            case .blocked: return
            // ECONNREFUSED and the like: nobody answers there.
            case .failed: return next(gateway)
            }
        }
        gateway.again(self)
    }

    override func resume(_ gateway: Gateway) {
        if socket != nil, stream == nil { hear(gateway) }
    }

    /// Takes an answer; false when it is none to this question, and another may still come.
    private func take(_ bytes: [UInt8], _ gateway: Gateway) -> Bool {
        let response: DNSResponse
        do throws(Malformed) {
            response = try DNSResponse(decoding: bytes)
        } catch {
            return false
        }
        guard response.id == id, response.question == question else { return false }
        if response.isTruncated, stream == nil {
            askByStream(gateway)
        } else if response.status == .success || response.status == .noSuchName {
            finish(response, gateway)
        } else {
            next(gateway)
        }
        return true
    }

    private func finish(_ response: DNSResponse?, _ gateway: Gateway) {
        guard gateway.lookups[question] === self else { return }
        gateway.lookups[question] = nil
        gateway.forget(self)
        socket = nil
        for asker in askers { gateway.deliver(response, to: asker) }
        askers = []
    }
}

extension Lookup {
    /// The answer does not fit a datagram: asks the same server for all of it.
    private func askByStream(_ gateway: Gateway) {
        do throws(KernelError) {
            let socket = try Internet.dial(server)
            try gateway.poller.addEdges(socket.raw, token: token)
            var framed = Framed(limit: Int(UInt16.max))
            framed.put(DNSQuery(id: id, question).encoded())
            stream = framed
            self.socket = consume socket
            gateway.deadlines.set(place, gateway.now + timeout)
        } catch {
            next(gateway)
        }
    }

    private func hearStream(_ gateway: Gateway) {
        guard let raw = socket?.raw, var framed = stream else { return }
        let outcome = framed.move(over: raw, &gateway.room)
        stream = framed
        if let message = stream?.next() {
            if !take(message, gateway) { next(gateway) }
        } else if outcome == .over {
            next(gateway)
        }
    }
}

/// DNS messages over a stream, each after its length (RFC 1035 section 4.2.2).
struct Framed {
    /// Whether the stream goes on.
    enum Outcome: Equatable {
        case goesOn
        case over
    }

    private let limit: Int
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var sent = 0

    /// Messages beyond `limit` bytes end the stream.
    init(limit: Int) { self.limit = limit }

    /// Whether all that was put has been sent.
    var isSent: Bool { sent == output.count }
    /// Whether nothing of another message has come.
    var isEmpty: Bool { input.isEmpty }

    mutating func put(_ message: [UInt8]) {
        output = Array(output[sent...])
        sent = 0
        output += [UInt8(message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    }

    /// The next whole message.
    mutating func next() -> [UInt8]? {
        guard let count, input.count >= 2 + count else { return nil }
        let message = Array(input[2..<2 + count])
        input.removeFirst(2 + count)
        return message
    }

    private var count: Int? {
        input.count >= 2 ? Int(input[0]) << 8 | Int(input[1]) : nil
    }

    /// Sends and receives what can be, at most one message ahead.
    mutating func move(over raw: CInt, _ room: inout [UInt8]) -> Outcome {
        while !isSent {
            switch Internet.send(raw, output, from: sent, to: output.count) {
            case .bytes(let count): sent += count
            case .blocked: return .goesOn
            case .ended: return .over
            case .failed(let errno):
                // The stream is still being made.
                return errno == ENOTCONN ? .goesOn : .over
            }
        }
        while input.count < 2 + limit {
            if let count, input.count >= 2 + count { return .goesOn }
            if let count, count > limit { return .over }
            switch Internet.receive(raw, into: &room, limit: min(room.count, 2 + limit)) {
            case .bytes(let count): input += room[..<count]
            case .blocked: return .goesOn
            case .ended, .failed: return .over
            }
        }
        return .goesOn
    }
}
