// The decoders that read what tools and name servers write. They must never trap; a question has
// one spelling beside its EDNS options, and an answer that was read can be written and read again.

/// libFuzzer's entry point.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var bytes = Array(UnsafeBufferPointer(start: start, count: count))
    _ = FirstBytes.read(bytes)
    if let query = try? DNSQuery(decoding: bytes) {
        let again = try? DNSQuery(decoding: query.encoded())
        precondition(again == query, "a question is read in two ways")
    }
    // Almost no random header is an answer's: let it be one, so that what follows is reached.
    if count > 12 { bytes.replaceSubrange(2..<6, with: [0x80, 0, 0, 1]) }
    if let response = try? DNSResponse(decoding: bytes) {
        let again = try? DNSResponse(decoding: response.encoded(limit: .max))
        precondition(again?.question == response.question, "an answer is read in two ways")
    }
    return 0
}
