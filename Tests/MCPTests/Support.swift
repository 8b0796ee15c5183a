import JSONRPC
import MCP

/// Parses a literal message.
func message(_ text: String) throws -> (Envelope, [UInt8]) {
    let bytes = Array(text.utf8)
    return (try Envelope.parse(bytes, in: 0..<bytes.count), bytes)
}

extension LineWriter {
    /// The lines written since the last time, as text.
    mutating func takeLines() -> [String] {
        defer { clear() }
        return bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The members of `_meta` that make a request modern.
let context =
    #""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#
