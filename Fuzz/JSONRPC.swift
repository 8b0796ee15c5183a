// The one reader of JSON: what it accepts must be what it writes, however it was split into lines,
// and no second reading may see anything else. It must never trap.

/// libFuzzer's entry point.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    readAsTree(input)
    readAsMessage(input)
    readAsLines(input)
    return 0
}

/// A tree is written so that it reads as the same tree, and writes as the same bytes.
private func readAsTree(_ input: [UInt8]) {
    guard let tree = try? JSON.parse(input) else { return }
    let written = tree.serialized()
    guard let again = try? JSON.parse(written) else {
        preconditionFailure("what was written cannot be read")
    }
    precondition(again == tree, "what was written reads otherwise")
    precondition(again.serialized() == written, "a value has two spellings")
    precondition(!written.contains(0x0A) && !written.contains(0x0D), "a line ends inside a value")
}

/// A message that is rebuilt from its members is the message that was decided on.
private func readAsMessage(_ input: [UInt8]) {
    guard let message = try? Envelope.parse(input, in: 0..<input.count) else { return }
    var out = LineWriter()
    switch message.kind {
    case .request, .notification:
        out.text("{\"jsonrpc\":\"2.0\"")
        if let id = message.id {
            out.text(",\"id\":")
            out.id(id)
        }
        out.text(",\"method\":")
        out.string(message.method)
        if let params = message.params {
            out.text(",\"params\":{")
            for (index, member) in params.list.enumerated() {
                if index > 0 { out.text(",") }
                out.member(input, member, hasReturns: message.hasReturns)
            }
            out.text("}")
        }
        out.text("}")
    case .response:
        guard let id = message.id, let result = message.result else { return }
        out.beginResult(id)
        out.splice(input, result, hasReturns: message.hasReturns)
        out.text("}")
    }
    // A line feed in whitespace is not in lines, which is where messages come from.
    guard !input.contains(0x0A) else { return }
    guard let again = try? Envelope.parse(out.bytes, in: 0..<out.bytes.count) else {
        preconditionFailure("the rebuilt message cannot be read")
    }
    precondition(again.kind == message.kind && again.id == message.id)
    precondition(again.method == message.method)
    precondition(again.params?.list.count == message.params?.list.count)
    precondition(!out.bytes.contains(0x0D), "a carriage return is left")
}

/// Lines are the same, however the stream was cut.
private func readAsLines(_ input: [UInt8]) {
    func lines(_ size: Int) -> [[UInt8]] {
        var framer = LineFramer(limit: 64)
        var found: [[UInt8]] = []
        var start = 0
        while start < input.count {
            let end = min(start + size, input.count)
            framer.append(input[start..<end])
            while let line = framer.next() {
                switch line {
                case .line(let range): found.append(Array(framer.bytes[range]))
                case .tooLong: found.append([0x0A])
                }
            }
            start = end
        }
        return found
    }
    let whole = lines(max(1, input.count))
    precondition(lines(1) == whole, "lines depend on how they arrive")
    precondition(lines(7) == whole, "lines depend on how they arrive")
}
