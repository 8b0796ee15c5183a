/// Finds the parts of a value that was parsed before, without building it.
public enum Parts {
    /// Where the elements of an array lie; none when the value is no array.
    public static func elements(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        walk(bytes, range, from: UInt8(ascii: "[")) { _, value in found.append(value) }
        return found
    }

    /// Where the value of an object's first member of a name lies; nil when it has none that is
    /// written so, or is no object.
    public static func member(
        _ name: String, _ bytes: [UInt8], _ range: Range<Int>
    ) -> Range<Int>? {
        var found: Range<Int>?
        walk(bytes, range, from: UInt8(ascii: "{")) { written, value in
            guard found == nil, let written else { return }
            if bytes[written].elementsEqual(name.utf8) { found = value }
        }
        return found
    }

    /// Passes the parts of a container that opens with `first`, each with its name if it has one.
    private static func walk(
        _ bytes: [UInt8], _ range: Range<Int>, from first: UInt8,
        _ body: (_ name: Range<Int>?, _ value: Range<Int>) -> Void
    ) {
        guard !range.isEmpty, bytes[range.lowerBound] == first else { return }
        let span = bytes.span.extracting(first: range.upperBound)
        var cursor = Scanner.Cursor(at: range.lowerBound + 1)
        do throws(JSONError) {
            while try Scanner.peek(span, &cursor) != first + 2 {
                var name: Range<Int>?
                if first == UInt8(ascii: "{") { name = try Scanner.name(span, &cursor).range }
                _ = try Scanner.peek(span, &cursor)
                let start = cursor.at
                try Scanner.value(span, &cursor)
                body(name, start..<cursor.at)
                if try Scanner.peek(span, &cursor) == UInt8(ascii: ",") { cursor.at += 1 }
            }
        } catch {
            // The bytes were parsed before; whoever gave others gets no more parts.
        }
    }
}
