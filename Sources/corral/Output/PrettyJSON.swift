internal import Control
internal import JSONRPC

/// A JSON value over several lines, two spaces a level, safe to print.
func prettyJSON(_ value: JSON) -> String {
    var text = ""
    write(value, indent: 0, into: &text)
    return sanitizedJSON(text)
}

private func write(_ value: JSON, indent: Int, into text: inout String) {
    switch value {
    case .array(let elements) where !elements.isEmpty:
        writeLines(elements, "[", "]", indent, into: &text) { element, text in
            write(element, indent: indent + 1, into: &text)
        }
    case .object(let object) where !object.members.isEmpty:
        writeLines(object.members, "{", "}", indent, into: &text) { member, text in
            text += JSON.string(member.name).text + ": "
            write(member.value, indent: indent + 1, into: &text)
        }
    default: text += value.text
    }
}

private func writeLines<Element>(
    _ elements: [Element], _ open: String, _ close: String, _ indent: Int,
    into text: inout String, _ write: (Element, inout String) -> Void
) {
    text += open
    for (index, element) in elements.enumerated() {
        text += (index == 0 ? "\n" : ",\n") + String(repeating: "  ", count: indent + 1)
        write(element, &text)
    }
    text += "\n" + String(repeating: "  ", count: indent) + close
}
