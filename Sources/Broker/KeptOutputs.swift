internal import Control
internal import JSONRPC
internal import Kernel
internal import MCP
internal import NIOCore
internal import Policy
internal import Store

/// The beginnings of answers that were too large, for their users to read in pieces.
struct KeptOutputs {
    /// One of them.
    struct Output {
        let id: String
        let user: UInt32
        let connection: UUID
        let connectionName: String
        let bytes: [UInt8]
        let until: NIODeadline
    }

    /// A piece of one of them.
    struct Piece {
        let uri: String
        let text: String
        /// Where the next piece is; nil after the last one.
        let next: String?
        /// How many bytes are kept in all.
        let total: Int
    }

    /// What their URIs begin with.
    static let scheme = "corral-output://"

    /// Oldest first.
    private var outputs: [Output] = []

    /// How many bytes are kept.
    var bytes: Int { outputs.reduce(0) { $0 + $1.bytes.count } }

    /// Keeps a beginning and gives its URI; the user's oldest go when there is no room for it, then
    /// anybody's.
    mutating func keep(_ output: Output) -> String {
        expire(at: .now())
        outputs.append(output)
        while outputs.filter({ $0.user == output.user }).count > Limit.keptOutputsPerUser,
            let oldest = outputs.firstIndex(where: { $0.user == output.user })
        {
            outputs.remove(at: oldest)
        }
        while bytes > Limit.keptOutputBytes, outputs.count > 1 { outputs.removeFirst() }
        return KeptOutputs.scheme + output.id
    }

    /// Bytes without a last character that is not all there.
    static func whole(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let lead = bytes.suffix(4).lastIndex(where: { $0 & 0xC0 != 0x80 }) else {
            return bytes
        }
        let length =
            switch bytes[lead] {
            case 0xF0...: 4
            case 0xE0...: 3
            case 0xC0...: 2
            default: 1
            }
        return lead + length > bytes.endIndex ? bytes[..<lead] : bytes
    }

    /// Forgets those whose time is over.
    mutating func expire(at now: NIODeadline) { outputs.removeAll { $0.until <= now } }

    /// Forgets those of a connection.
    mutating func forget(_ connection: UUID) {
        outputs.removeAll { $0.connection == connection }
    }

    /// The piece that a URI names, if it is this user's and of the connection that may be seen.
    func piece(_ uri: String, of user: UInt32, only connection: String?) -> Piece? {
        guard uri.hasPrefix(KeptOutputs.scheme), uri.utf8.count <= Limit.keptURIBytes else {
            return nil
        }
        let parts = uri.dropFirst(KeptOutputs.scheme.count).split(
            separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let id = parts.first,
            let output = outputs.first(where: { $0.id == id }), output.user == user,
            connection ?? output.connectionName == output.connectionName,
            let start = parts.count == 1 ? 0 : Int(parts[1]), output.bytes.indices.contains(start)
        else { return nil }
        var end = min(start + Limit.pieceBytes, output.bytes.count)
        // A character is not cut in two.
        while end < output.bytes.count, end > start, output.bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Piece(
            uri: uri, text: String(decoding: output.bytes[start..<end], as: UTF8.self),
            next: end < output.bytes.count ? "\(KeptOutputs.scheme)\(output.id)/\(end)" : nil,
            total: output.bytes.count)
    }
}

extension Broker {
    /// Ends a call whose answer is too large; its beginning is kept.
    func endTooLarge(_ number: Int, at server: Server, head: ArraySlice<UInt8>) {
        guard let call = server.calls[number] else { return }
        var failure = Failure.tooLarge(call.tool, server.connection)
        failure.resource = keep(head, of: server.connection)
        end(number, at: server, failure)
    }

    private func keep(_ head: ArraySlice<UInt8>, of connection: ManagedConnection) -> String? {
        let most = min(connection.policy.limits.response, Limit.keptHeadBytes)
        do {
            let id = try System.random(16).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
            let until = NIODeadline.now() + Limit.keptTime
            _ = schedule(after: Limit.keptTime + .seconds(1)) { $0.kept.expire(at: .now()) }
            return kept.keep(
                KeptOutputs.Output(
                    id: id, user: connection.caller.uid, connection: connection.id,
                    connectionName: connection.name,
                    bytes: Array(KeptOutputs.whole(head.prefix(most))),
                    until: until))
        } catch {
            // Without a name that nobody can guess nothing is kept; the error stands by itself.
            return nil
        }
    }

    /// Answers `resources/read` of a beginning that was kept.
    func readKept(_ call: ClientCall, from client: Client) {
        kept.expire(at: .now())
        guard
            let piece = kept.piece(
                call.name, of: client.caller.uid, only: client.restriction)
        else { return fail(client, call.id, .unknown(call)) }
        var meta: JSON = ["dev.corral/bytes": .integer(piece.total)]
        meta["dev.corral/next"] = piece.next.map(JSON.string)
        let contents: JSON = [
            "uri": .string(piece.uri), "mimeType": "text/plain", "text": .string(piece.text),
            "_meta": meta,
        ]
        var result: JSON = ["contents": [contents]]
        if call.era == .modern {
            result["resultType"] = "complete"
            result["ttlMs"] = 0
            result["cacheScope"] = "private"
        }
        answer(client, call.id, result)
    }

    /// What stands after `"result":` at the beginning of a line that was never parsed.
    static func result(of head: [UInt8]) -> ArraySlice<UInt8> {
        let name = Array("\"result\":".utf8)
        let end = min(head.count, JSONRPC.Limit.idBytes * 2)
        guard end > name.count,
            let at = (0...end - name.count).first(where: { start in
                head[start..<start + name.count].elementsEqual(name)
            })
        else { return head[...] }
        return head[(at + name.count)...]
    }
}
