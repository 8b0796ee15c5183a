/// Why the store could not do what was asked.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds that someone decides on.
    public enum Code: String, Sendable, Equatable, CaseIterable {
        /// The file cannot be opened or created.
        case unavailable
        /// Others may read the file, which holds credentials.
        case exposed
        /// The file or its directory cannot be written.
        case readOnly
        /// The disk is full.
        case full
        /// The file is no database, or is damaged.
        case corrupt
        /// A newer Corral wrote the file.
        case newer
        /// Another process holds the file longer than `Limit.busyMilliseconds`.
        case busy
        /// The user has a connection of that name already.
        case connectionExists
        /// A value breaks the schema: a defect of the caller.
        case invalid
        /// Anything else that SQLite or the kernel reports.
        case failed
    }

    /// What kind of error it is.
    public var code: Code
    /// What was attempted: `open`, `read` or `write`.
    public var verb: String
    /// The store's file.
    public var file: String
    /// The step that failed: `insert-connection`.
    public var step: String
    /// What was reported.
    public var cause: String

    /// Makes an error.
    public init(_ code: Code, verb: String, file: String, step: String, cause: String) {
        self.code = code
        self.verb = verb
        self.file = file
        self.step = step
        self.cause = cause
    }

    /// The error as one line that says what to do where something can be done.
    public var description: String {
        let line = "cannot \(verb) '\(file)': \(step): \(cause)"
        guard let hint else { return line }
        return "\(line) (\(hint))"
    }

    private var hint: String? {
        switch code {
        case .unavailable: "its directory must exist and belong to the broker's user"
        case .exposed: "chmod 600 it, and change the credentials it holds"
        case .readOnly: "the broker's user must own the file and its directory"
        case .full: "free some space, then try again"
        case .corrupt: "move it away and restore a copy"
        case .newer: "install the newer version again, or restore an older copy"
        case .busy: "another process has it open; stop that first"
        case .connectionExists, .invalid, .failed: nil
        }
    }
}
