/// What a configuration file may hold at most; a hand-written file is far below each of these.
enum Limit {
    /// The largest file in bytes.
    static let fileBytes = 256 << 10
    /// The deepest nesting; the deepest key there is lies at 4.
    static let depth = 32
    /// The most nodes of a document, so that its tree stays within a few MiB.
    static let nodes = 20_000
    /// The most mistakes reported of one file: more tell nothing new.
    static let mistakes = 200
}
