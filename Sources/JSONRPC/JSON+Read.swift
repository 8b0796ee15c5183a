extension JSON {
    /// A part of a message that was parsed; nil when an object deep in it has a name twice.
    public static func read(_ bytes: [UInt8], _ range: Range<Int>) -> JSON? {
        do throws(JSONError) { return try parse(bytes, in: range) } catch { return nil }
    }
}
