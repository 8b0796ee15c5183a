internal import Control
internal import JSONRPC

/// The result of a tool call, worded for a person.
struct ToolResult {
    /// Whether the tool itself says that it failed.
    let isError: Bool
    /// What the tool said, in lines that are safe to print.
    let lines: [String]

    /// Reads a `tools/call` result.
    init(_ result: JSON) {
        isError = result["isError"]?.boolValue ?? false
        let content = result["content"]?.arrayValue ?? []
        if content.isEmpty, let structured = result["structuredContent"] {
            lines = [prettyJSON(structured)]
        } else {
            lines = content.map(Self.line)
        }
    }

    private static func line(_ item: JSON) -> String {
        switch item["type"]?.stringValue {
        case "text": return text(item["text"]?.stringValue ?? "")
        case "resource_link":
            return "[link \(label(item["name"])) \(label(item["uri"]))]"
        case "resource":
            if let text = item["resource"]?["text"]?.stringValue { return self.text(text) }
            return "[resource \(label(item["resource"]?["uri"]))]"
        case let type:
            // Four base64 letters carry three bytes.
            let bytes = (item["data"]?.stringValue?.utf8.count ?? 0) / 4 * 3
            let kind = sanitized(type ?? "content")
            return "[\(kind) \(label(item["mimeType"])), \(bytes) bytes; see it with --json]"
        }
    }

    /// JSON is laid out, anything else is shown as it is.
    private static func text(_ text: String) -> String {
        if text.first == "{" || text.first == "[" {
            do {
                return prettyJSON(try JSON.parse(Array(text.utf8)))
            } catch {
                // Not JSON after all.
            }
        }
        return sanitized(text.hasSuffix("\n") ? String(text.dropLast()) : text, layout: .block)
    }

    private static func label(_ value: JSON?) -> String {
        sanitized(value?.stringValue ?? "?")
    }
}
