import Glibc

/// Standard error, unbuffered: what a program has to say when nothing else may work any more.
public enum Diagnostics {
    /// Writes one line; when standard error itself fails, nobody is left to be told.
    public static func line(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        // The array lives until the call returns.
        _ = unsafe write(2, bytes, bytes.count)
    }
}
