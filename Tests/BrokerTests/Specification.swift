import JSONRPC
import Kernel
import Synchronization
import Testing

/// The schemas of MCP's revisions, which lie beside this repository, and as much of JSON Schema as
/// they use.
final class Specification: Sendable {
    private let definitions: JSON
    /// Definitions by the method that they name.
    private let methods: [String: String]

    private init(_ schema: JSON) {
        definitions = schema["$defs"] ?? schema["definitions"] ?? [:]
        var methods: [String: String] = [:]
        for member in definitions.objectValue?.members ?? [] {
            guard let method = member.value["properties"]?["method"]?["const"]?.stringValue,
                member.name.hasSuffix("Request") || member.name.hasSuffix("Notification"),
                !["ClientNotification", "ServerNotification"].contains(member.name)
            else { continue }
            methods[method] = member.name
        }
        self.methods = methods
    }

    private static let loaded = Mutex<[String: Specification]>([:])
    private static let isAbsent = Mutex(false)

    /// The schema of a revision; nil, said aloud once, where there is none.
    static func of(_ version: String) -> Specification? {
        if let known = loaded.withLock({ $0[version] }) { return known }
        guard !isAbsent.withLock({ $0 }) else { return nil }
        let top = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let path = "/\(top)/shared/spec/mcp-\(version).schema.json"
        do {
            let specification = Specification(try JSON.parse(try Files.read(path, limit: 1 << 20)))
            loaded.withLock { $0[version] = specification }
            return specification
        } catch {
            isAbsent.withLock { $0 = true }
            print("messages are not compared with MCP's schemas: \(path): \(error)")
            return nil
        }
    }

    /// What is wrong with a request or a notification; nil when nothing is, or when its method is
    /// none of MCP's.
    func problem(with message: JSON) -> String? {
        guard let name = message["method"]?.stringValue.flatMap({ methods[$0] }) else { return nil }
        return problem(message, ["$ref": .string("#/" + name)], name)
    }

    /// Whether a method is one of this revision's.
    func knows(_ method: String) -> Bool { methods[method] != nil }

    /// What is wrong with the response to a request of this method.
    func problem(with response: JSON, to method: String) -> String? {
        guard let request = methods[method] else { return nil }
        if response["error"] != nil {
            let names = ["JSONRPCErrorResponse", "JSONRPCError"]
            let name = names.first { definitions[$0] != nil } ?? names[0]
            return problem(response, ["$ref": .string("#/" + name)], name)
        }
        let result = response["result"] ?? nil
        var name = request.dropLast("Request".count) + "Result"
        if result["resultType"] == "input_required" { name = "InputRequiredResult" }
        if definitions[String(name)] == nil { name = "EmptyResult" }
        return problem(result, ["$ref": .string("#/" + name)], String(name))
    }

    /// The first place where a value breaks a schema.
    private func problem(_ value: JSON, _ schema: JSON, _ path: String) -> String? {
        if let reference = schema["$ref"]?.stringValue {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let found = definitions[name] else { return "\(path): no definition \(name)" }
            if let problem = problem(value, found, path) { return problem }
        }
        if let const = schema["const"], const != value { return "\(path) is not \(const.text)" }
        if let values = schema["enum"]?.arrayValue, !values.contains(value) {
            return "\(path) is \(value.text), none of those there are"
        }
        if let any = schema["anyOf"]?.arrayValue {
            let problems = any.compactMap { problem(value, $0, path) }
            if problems.count == any.count { return "\(path): none of \(problems)" }
        }
        for part in schema["allOf"]?.arrayValue ?? [] {
            if let problem = problem(value, part, path) { return problem }
        }
        if let type = schema["type"], !has(value, type) { return "\(path) is no \(type.text)" }
        return insides(value, schema, path)
    }

    private func insides(_ value: JSON, _ schema: JSON, _ path: String) -> String? {
        for (index, element) in (value.arrayValue ?? []).enumerated() {
            guard let items = schema["items"] else { break }
            if let problem = problem(element, items, "\(path)[\(index)]") { return problem }
        }
        guard case .object(let object) = value else { return nil }
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            if object[name] == nil { return "\(path) lacks \(name)" }
        }
        for member in object.members {
            let known = schema["properties"]?[member.name]
            let other = schema["additionalProperties"]
            if known == nil, other == false { return "\(path) has \(member.name)" }
            guard let part = known ?? other, case .object = part else { continue }
            if let problem = problem(member.value, part, "\(path).\(member.name)") {
                return problem
            }
        }
        return nil
    }

    private func has(_ value: JSON, _ type: JSON) -> Bool {
        if let types = type.arrayValue { return types.contains { has(value, $0) } }
        switch (type.stringValue, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
            ("null", .null), ("number", .number):
            return true
        case ("integer", .number(let literal)): return Int(literal) != nil
        default: return false
        }
    }
}

@Suite struct SpecificationTests {
    @Test func `the schemas refuse what breaks them`() {
        guard let modern = Specification.of("2026-07-28"),
            let legacy = Specification.of("2025-06-18")
        else { return }
        let wrong: [(JSON, String)] = [
            (["result": ["resultType": "complete", "tools": []]], "tools/list"),
            (["result": ["resultType": "complete", "content": 7]], "tools/call"),
            (["error": ["code": "x", "message": ""]], "tools/call"),
        ]
        for (message, method) in wrong {
            #expect(modern.problem(with: message, to: method) != nil, "\(message.text)")
        }
        #expect(
            legacy.problem(with: ["jsonrpc": "2.0", "method": "resources/read", "id": 1]) != nil)
        #expect(
            legacy.problem(with: ["result": ["tools": []]], to: "tools/list") == nil)
    }
}
