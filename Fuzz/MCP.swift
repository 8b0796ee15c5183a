// needs: JSONRPC
// Both session state machines, fed with lines of anybody's: whatever comes, they must not trap,
// must write nothing but whole messages, and must end each request once.

import JSONRPC

/// libFuzzer's entry point: the first byte says how a server is spoken to, each line goes to both.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard let first = input.first else { return 0 }
    feedServer(Array(input.dropFirst()), first)
    feedClient(Array(input.dropFirst()))
    return 0
}

private func feedServer(_ input: [UInt8], _ first: UInt8) {
    var face = ServerFace()
    var out = LineWriter()
    let modes: [ServerFace.Mode] = [.probe, .known(.legacy), .known(.modern)]
    face.start(
        modes[Int(first) % modes.count], lists: first & 0x40 != 0, asks: [.elicitation, .roots],
        into: &out)
    check(&out)
    var readies = 0
    for (message, line) in messages(input) {
        let event = face.receive(message, line, into: &out)
        if case .ready = event { readies += 1 }
        if case .answer = event { translate(message, line, from: face.era) }
        if face.isReady, readies == 0 { preconditionFailure("ready without saying so") }
        check(&out)
    }
    precondition(readies <= 1, "ready twice")
    _ = face.ended()
    if case .ready = face.ended() { preconditionFailure("ready after its end") }
}

/// An answer that passes the check is written as one whole line, to clients of both eras.
private func translate(_ message: Envelope, _ line: [UInt8], from server: Era) {
    for kind in [ClientCall.Kind.tool, .prompt, .resource, .completion] {
        guard (try? ResultTranslation.check(message, line, of: kind, from: server)) != nil else {
            continue
        }
        let told = ResourceLinks.exposed(message, line, of: kind, connection: "c")
        for client in [Era.modern, .legacy] {
            var out = LineWriter()
            ResultTranslation.write(
                told?.message ?? message, told?.bytes ?? line, of: kind, as: .integer(1),
                from: server, to: client, adding: "\"dev.corral/usage\":{}", into: &out)
            check(&out)
        }
    }
}

private func feedClient(_ input: [UInt8]) {
    var face = ClientFace()
    var open: Set<RequestID> = []
    for (message, line) in messages(input) {
        let request = face.receive(message, line)
        if case .call(let call) = request {
            var server = ServerFace()
            var out = LineWriter()
            _ = server.call(call.detached(), own: "own", into: &out)
            check(&out)
        }
        guard message.kind == .request, let id = message.id else { continue }
        if case .refuse(let refused, _, _, _) = request {
            precondition(refused == id || open.contains(id), "a refusal for somebody else")
        } else {
            precondition(open.insert(id).inserted, "a request twice in flight")
        }
        precondition(face.inFlightCount == open.count)
        if open.count > 4, let done = open.popFirst() {
            precondition(face.finished(done) && !face.finished(done), "not ended once")
        }
    }
}

/// The messages of a stream, as they come to a session.
private func messages(_ input: [UInt8]) -> [(Envelope, [UInt8])] {
    var framer = LineFramer()
    framer.append(input + [0x0A])
    var found: [(Envelope, [UInt8])] = []
    while case .line(let range)? = framer.next() {
        guard let message = try? Envelope.parse(framer.bytes, in: range) else { continue }
        found.append((message, framer.bytes))
    }
    return found
}

/// What was written is whole messages that anybody can read, one a line.
private func check(_ out: inout LineWriter) {
    for line in out.bytes.split(separator: 0x0A) {
        let bytes = Array(line)
        precondition((try? Envelope.parse(bytes, in: 0..<bytes.count)) != nil, "no message")
    }
    precondition(out.isEmpty || out.bytes.last == 0x0A, "half a line")
    out.clear()
}
