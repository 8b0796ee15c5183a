import Glibc

/// What a program knows about the terminal at one of its descriptors.
public enum Terminal {
    /// Whether the descriptor is a terminal (isatty(3)).
    public static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

    /// The terminal's width in columns (ioctl(2) TIOCGWINSZ); nil when it does not tell.
    public static func columns(of descriptor: CInt) -> Int? {
        var size = winsize()
        // The kernel fills the structure, which outlives the call.
        let result = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
        return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    }

    /// Asks on the controlling terminal and reads one line of at most `limit` bytes without echo.
    ///
    /// The line's end is not part of the answer; EFBIG when it is longer, ENXIO when there is no
    /// controlling terminal.
    public static func readSecret(prompt: String, limit: Int) throws(KernelError) -> [UInt8] {
        let terminal = try Descriptor.open("/dev/tty", O_RDWR)
        let raw = terminal.raw
        try terminal.write(Array(prompt.utf8), to: "/dev/tty")
        var before = termios()
        // Both structures outlive the calls, which only read or fill them.
        _ = try check("tcgetattr", "/dev/tty") { unsafe tcgetattr(raw, &before) }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        _ = try check("tcsetattr", "/dev/tty") { unsafe tcsetattr(raw, TCSAFLUSH, &silent) }
        // The echo comes back whatever happened; a failure here has no other way out.
        defer { unsafe tcsetattr(raw, TCSAFLUSH, &before) }
        let line = try readLine(terminal, limit: limit)
        try terminal.write([0x0A], to: "/dev/tty")
        return line
    }

    /// Reads byte by byte up to a line feed or the end, so that nothing after it is taken away from
    /// whoever reads next.
    public static func readLine(
        _ descriptor: borrowing Descriptor, limit: Int
    ) throws(KernelError) -> [UInt8] {
        var line: [UInt8] = []
        while let byte = try descriptor.read(limit: 1)?.first, byte != 0x0A {
            guard line.count < limit else { throw KernelError("read", errno: EFBIG) }
            line.append(byte)
        }
        return line
    }
}
