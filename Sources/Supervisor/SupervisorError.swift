public import Kernel

/// Why corrald cannot run: `cannot VERB 'OBJECT': STEP: CAUSE (HINT)`.
public struct SupervisorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The whole sentence.
    public let description: String

    /// Words a failure of one step.
    public init(_ verb: String, _ object: String, _ step: String, _ cause: String, hint: String) {
        description = "cannot \(verb) '\(object)': \(step): \(cause) (\(hint))"
    }

    /// Words a failed system call.
    public init(
        _ verb: String, _ object: String, _ step: String, _ cause: KernelError, hint: String
    ) {
        self.init(verb, object, step, cause.description, hint: hint)
    }
}
