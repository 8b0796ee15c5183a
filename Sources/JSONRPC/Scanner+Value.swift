extension Scanner {
    /// Passes one value whole, checked to its last byte, without recursion and without building
    /// anything; `depth` is how many containers it stands in already.
    static func value(
        _ bytes: Span<UInt8>, _ cursor: inout Cursor, depth: Int = 0
    ) throws(JSONError) {
        var open = Containers(depth: depth)
        repeat {
            let byte = try peek(bytes, &cursor)
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard open.push(isObject: byte == UInt8(ascii: "{")) else {
                    throw JSONError(.tooDeep, at: cursor.at)
                }
                cursor.at += 1
                // '{' + 2 is '}' and '[' + 2 is ']'.
                if try peek(bytes, &cursor) == byte + 2 {
                    cursor.at += 1
                    open.pop()
                } else {
                    if open.isObject { _ = try name(bytes, &cursor) }
                    continue
                }
            } else {
                try scalar(bytes, &cursor)
            }
            try afterValue(bytes, &cursor, &open)
        } while !open.isEmpty
    }

    /// Passes what ends or continues the containers around a value, up to the next value.
    @inline(__always)
    private static func afterValue(
        _ bytes: Span<UInt8>, _ cursor: inout Cursor, _ open: inout Containers
    ) throws(JSONError) {
        while !open.isEmpty {
            let byte = try peek(bytes, &cursor)
            cursor.at += 1
            if byte == UInt8(ascii: ",") {
                if open.isObject { _ = try name(bytes, &cursor) }
                return
            }
            guard byte == (open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONError(.unexpectedByte, at: cursor.at - 1)
            }
            open.pop()
        }
    }

    /// Which containers are open: one bit each, so that depth costs no memory.
    private struct Containers {
        private var objects: UInt128 = 0
        private var count: Int
        private let base: Int

        init(depth: Int) {
            count = depth
            base = depth
        }

        var isEmpty: Bool { count == base }
        var isObject: Bool { objects & 1 == 1 }

        /// Opens a container unless that is too deep.
        mutating func push(isObject: Bool) -> Bool {
            guard count < Limit.depth else { return false }
            objects = objects << 1 | (isObject ? 1 : 0)
            count += 1
            return true
        }

        mutating func pop() {
            objects >>= 1
            count -= 1
        }
    }
}
