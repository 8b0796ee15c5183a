/// Why a `corral/…` message could not be read.
public struct ControlError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where in the message, as a path of member names: `params.settings`.
    public var path: String
    /// What is wrong there, as a phrase: `expected a string`.
    public var problem: String

    /// Makes an error for the member at `path`.
    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    /// The error as one line: `cannot read 'params.settings': expected an object`.
    public var description: String { "cannot read '\(path)': \(problem)" }
}
