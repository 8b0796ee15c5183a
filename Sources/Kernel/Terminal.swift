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
    /// Keys that would send a signal are read instead, so that the echo always comes back:
    /// ECANCELED when the person gave up, EFBIG when the line is too long, ENXIO without a
    /// terminal.
    public static func readSecret(prompt: String, limit: Int) throws(KernelError) -> [UInt8] {
        let terminal = try Descriptor.open("/dev/tty", O_RDWR)
        let raw = terminal.raw
        var before = termios()
        // Both structures outlive the calls, which only read or fill them.
        _ = try check("tcgetattr", "/dev/tty") { unsafe tcgetattr(raw, &before) }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        _ = try check("tcsetattr", "/dev/tty") { unsafe tcsetattr(raw, TCSAFLUSH, &silent) }
        // The echo comes back whatever happened; a failure here has no other way out.
        defer { unsafe tcsetattr(raw, TCSAFLUSH, &before) }
        try terminal.write(Array(prompt.utf8), to: "/dev/tty")
        var line = SecretLine(limit: limit)
        var outcome = SecretLine.Outcome.more
        while outcome == .more {
            let byte = try terminal.read(limit: 1, from: "/dev/tty")?.first
            outcome = byte.map { line.take($0) } ?? .cancelled
        }
        try terminal.write([0x0A], to: "/dev/tty")
        switch outcome {
        case .finished, .more: return line.bytes
        case .cancelled: throw KernelError("read", "/dev/tty", errno: ECANCELED)
        case .tooLong: throw KernelError("read", "/dev/tty", errno: EFBIG)
        }
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

/// A line typed without echo, key by key.
struct SecretLine {
    /// What a key did.
    enum Outcome {
        /// The line goes on.
        case more
        /// The line is complete.
        case finished
        /// The person gave up.
        case cancelled
        /// The line outgrew its limit.
        case tooLong
    }

    /// What has been typed.
    private(set) var bytes: [UInt8] = []
    private let limit: Int

    /// Starts an empty line of at most `limit` bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// Takes one byte from the keyboard.
    mutating func take(_ byte: UInt8) -> Outcome {
        switch byte {
        case 0x0A, 0x0D: return .finished
        case 0x03: return .cancelled  // control-C
        case 0x04: return bytes.isEmpty ? .cancelled : .finished  // control-D
        case 0x08, 0x7F: removeLetter()
        case 0x15: bytes = []  // control-U
        default:
            guard bytes.count < limit else { return .tooLong }
            bytes.append(byte)
        }
        return .more
    }

    /// Takes back one letter, which UTF-8 may have written in several bytes.
    private mutating func removeLetter() {
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    }
}
