/// Bytes on their way from one stream to another.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    /// How many bytes wait.
    var count: Int { bytes.count - start }
    /// Whether none wait.
    var isEmpty: Bool { start == bytes.count }
    /// The bytes that wait, first come first.
    var waiting: ArraySlice<UInt8> { bytes[start...] }

    /// Adds bytes at the end.
    mutating func append(_ more: [UInt8]) {
        bytes += more
    }

    /// Takes away bytes that have gone out.
    mutating func remove(_ count: Int) {
        start += count
        // The front is given back when it is the larger part, so a byte is moved at most once.
        if start * 2 >= bytes.count {
            bytes.removeSubrange(..<start)
            start = 0
        }
    }
}
