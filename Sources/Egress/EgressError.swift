import Kernel

/// Why the gateway cannot go on.
public struct EgressError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `cannot VERB 'OBJECT': STEP: CAUSE`.
    public let description: String

    init(_ verb: String, _ object: String, _ step: String, _ cause: String) {
        description = "cannot \(verb) '\(object)': \(step): \(cause)"
    }

    init(_ verb: String, _ object: String, _ error: KernelError) {
        self.init(verb, object, error.call, error.reason)
    }
}
