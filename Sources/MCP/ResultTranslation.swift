public import JSONRPC

/// Carries a server's answer over to the client, from one era to the other, with every byte
/// untouched that need not change.
public enum ResultTranslation {
    /// Why an answer cannot be handed on.
    public enum Problem: Error, Sendable, Equatable {
        /// It is no result of the method.
        case malformed(String)
        /// It asks for something that nobody behind it can give.
        case unanswerable(String)
    }

    /// Whether a result says that the tool failed.
    public static func isError(_ message: Envelope, _ bytes: [UInt8]) -> Bool {
        message.resultMembers?[.isError].map { Value.isTrue(bytes, $0) } ?? false
    }

    /// Checks a result for what every revision demands of it.
    public static func check(
        _ message: Envelope, _ bytes: [UInt8], of kind: ClientCall.Kind = .tool, from server: Era
    ) throws(Problem) {
        guard let members = message.resultMembers else {
            throw .malformed("the result is no object")
        }
        if let range = members[.resultType] {
            let type = Value.string(bytes, range)
            guard type == "complete" else {
                throw .unanswerable("the server answered '\(type ?? "?")' instead of a result")
            }
        } else if server == .modern {
            throw .malformed("the result lacks resultType")
        }
        func begins(_ key: Key, _ byte: UInt8) -> Bool? {
            members[key].map { bytes[$0.lowerBound] == byte }
        }
        let list = UInt8(ascii: "[")
        let isWhole =
            switch kind {
            case .tool: begins(.content, list) ?? (members[.structuredContent] != nil)
            case .prompt: begins(.messages, list) ?? false
            case .resource: begins(.contents, list) ?? false
            case .completion: begins(.completion, UInt8(ascii: "{")) ?? false
            }
        guard isWhole else { throw .malformed("the result has no \(kind.content.spelling)") }
    }

    /// Writes a whole response with a checked result; `own` is the member that the broker adds to
    /// its `_meta`, and `lines` are told to whoever reads a tool's content, as one text
    /// at its end.
    public static func write(
        _ message: Envelope, _ bytes: [UInt8], of kind: ClientCall.Kind = .tool,
        as id: RequestID, from server: Era, to client: Era, adding own: String,
        saying lines: [String] = [], into out: inout LineWriter
    ) {
        guard let members = message.resultMembers else { return }
        let spoken = Spoken(lines, in: members, bytes)
        out.beginResult(id)
        if server == .modern, client == .legacy {
            writeForLegacy(message, members, bytes, own, spoken, into: &out)
        } else {
            // The object has members, so a comma belongs after each one that is put in before them.
            let isMarked = server == client || members[.resultType] != nil
            out.text(isMarked ? "{" : "{\"resultType\":\"complete\",")
            if client == .modern, kind == .resource { writeCaching(members, into: &out) }
            if let spoken, spoken.place == nil { out.text("\"content\":[\(spoken.item)],") }
            var rest = members.range.lowerBound + 1..<members.range.upperBound - 1
            if let meta = members[.meta] {
                splice(rest.lowerBound..<meta.lowerBound, of: message, bytes, spoken, into: &out)
                OwnMembers.write(own, beside: meta, of: bytes, message.hasReturns, into: &out)
                rest = meta.upperBound..<rest.upperBound
            } else {
                out.text("\"_meta\":{")
                out.text(own)
                out.text("},")
            }
            splice(rest, of: message, bytes, spoken, into: &out)
            out.text("}")
        }
        out.endResponse()
    }

    /// Writes what the modern era demands of a resource's contents where the server said nothing.
    private static func writeCaching(_ members: Members, into out: inout LineWriter) {
        if members[.ttlMs] == nil { out.text("\"ttlMs\":0,") }
        if members[.cacheScope] == nil { out.text("\"cacheScope\":\"private\",") }
    }

    /// Leaves out what the legacy revisions do not know.
    private static func writeForLegacy(
        _ message: Envelope, _ members: Members, _ bytes: [UInt8], _ own: String,
        _ spoken: Spoken?, into out: inout LineWriter
    ) {
        out.text("{\"_meta\":")
        OwnMembers.write(own, beside: members[.meta], of: bytes, message.hasReturns, into: &out)
        if let spoken, spoken.place == nil { out.text(",\"content\":[\(spoken.item)]") }
        for member in members.list {
            switch member.key {
            case .resultType, .ttlMs, .cacheScope, .meta: continue
            case .structuredContent where bytes[member.value.lowerBound] != UInt8(ascii: "{"):
                continue
            case .content:
                out.text(",\"content\":")
                splice(member.value, of: message, bytes, spoken, into: &out)
            default:
                out.text(",")
                out.member(bytes, member, hasReturns: message.hasReturns)
            }
        }
        out.text("}")
    }

    /// What is said at the end of a result's content.
    private struct Spoken {
        /// Where the content's bracket is that the item goes before; nil when there is no content.
        let place: Int?
        /// The item, with a comma where one belongs before it.
        let item: String

        init?(_ lines: [String], in members: Members, _ bytes: [UInt8]) {
            guard !lines.isEmpty else { return nil }
            let text = JSON.string(lines.joined(separator: "\n")).text
            let content = members[.content]
            let others = content.map { bytes[$0.lowerBound + 1..<$0.upperBound - 1] } ?? []
            let isFirst = !others.contains { $0 > 0x20 }
            place = content.map { $0.upperBound - 1 }
            item = (isFirst ? "" : ",") + "{\"type\":\"text\",\"text\":\(text)}"
        }
    }

    /// Splices a part of a result; where its content ends in it, what is said goes before that.
    private static func splice(
        _ part: Range<Int>, of message: Envelope, _ bytes: [UInt8], _ spoken: Spoken?,
        into out: inout LineWriter
    ) {
        var part = part
        if let spoken, let place = spoken.place, part.contains(place) {
            out.splice(bytes, part.lowerBound..<place, hasReturns: message.hasReturns)
            out.text(spoken.item)
            part = place..<part.upperBound
        }
        out.splice(bytes, part, hasReturns: message.hasReturns)
    }

    /// Writes a server's error as the answer to a client's request.
    ///
    /// Codes that are the broker's own to give, or that speak about a revision the client did not
    /// choose, become a general one: a server must not be able to speak in the broker's name. `own`
    /// is the member that the broker adds to its data, unless that is no object; `lines` are added
    /// to its message, which `clean` makes safe to show.
    public static func writeError(
        _ message: Envelope, _ bytes: [UInt8], as id: RequestID, to client: Era,
        adding own: String, saying lines: [String] = [], clean: (String) -> String = { $0 },
        into out: inout LineWriter
    ) -> Bool {
        guard let error = message.error, let range = error[.code],
            let code = Value.tree(bytes, range)?.intValue,
            let text = error[.message].flatMap({ Value.string(bytes, $0) })
        else { return false }
        let isReserved = code > 0 || (-32022 ... -32020).contains(code)
        let told = isReserved ? ProtocolErrorCode.server : translated(code, to: client)
        out.text("{\"jsonrpc\":\"2.0\",\"id\":")
        out.id(id)
        out.text(",\"error\":{\"code\":")
        out.integer(told)
        out.text(",\"message\":")
        out.string(([clean(text)] + lines).joined(separator: "; "))
        out.text(",\"data\":")
        if let data = error[.data], bytes[data.lowerBound] != UInt8(ascii: "{") {
            out.splice(bytes, data, hasReturns: message.hasReturns)
        } else {
            OwnMembers.write(
                own, beside: error[.data], of: bytes, message.hasReturns, into: &out)
        }
        out.text("}}\n")
        return true
    }

    /// A server's code as the client's era has it: a resource that is not there has one of its own
    /// in the legacy era, which the modern one must not send.
    private static func translated(_ code: Int, to client: Era) -> Int {
        client == .modern && code == ProtocolErrorCode.resourceNotFound
            ? ProtocolErrorCode.invalidParams : code
    }

    /// Writes a server's progress report under the client's own token; nothing when it has none.
    public static func writeProgress(
        _ message: Envelope, _ bytes: [UInt8], token: RequestID, into out: inout LineWriter
    ) {
        guard let params = message.params, let progress = params[.progress],
            Value.isNumber(bytes, progress)
        else { return }
        out.text("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{")
        out.text("\"progressToken\":")
        out.id(token)
        out.text(",\"progress\":")
        out.splice(bytes, progress, hasReturns: false)
        if let total = params[.total], Value.isNumber(bytes, total) {
            out.text(",\"total\":")
            out.splice(bytes, total, hasReturns: false)
        }
        if let text = params[.message], bytes[text.lowerBound] == UInt8(ascii: "\"") {
            out.text(",\"message\":")
            out.splice(bytes, text, hasReturns: false)
        }
        out.text("}}\n")
    }
}

extension ResultTranslation {
    /// Where limits that a failed call has met are told.
    public static let limitsKey = "dev.corral/limits"

    /// The member of `_meta` that tells limits of its sandbox which a failed call has met.
    public static func limitsMember(_ limits: [String]) -> String {
        "\"\(limitsKey)\":\(JSON.array(limits.map(JSON.string)).text)"
    }

    /// The same for whoever reads the content.
    public static func limitsLine(_ limits: [String]) -> String {
        "The sandbox met a limit: \(limits.joined(separator: ", "))"
    }
}
