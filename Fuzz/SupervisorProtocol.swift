// The decoder that stands between an unprivileged broker and root. It must never trap, and what it
// accepts must be exactly what its encoder would have written.

/// libFuzzer's entry point.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var datagram = Array(UnsafeBufferPointer(start: bytes, count: count))
    // Almost no random length field tells the truth: let it, so that what follows is reached.
    if count >= 4 {
        for index in 0..<4 {
            datagram[index] = UInt8(truncatingIfNeeded: (count - 4) >> (8 * index))
        }
    }
    if let request = try? Request(decoding: datagram) {
        precondition(request.encoded() == datagram, "a request has two spellings")
    }
    if let event = try? Event(decoding: datagram) {
        precondition(event.encoded() == datagram, "an event has two spellings")
    }
    return 0
}
