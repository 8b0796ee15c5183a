import Glibc

/// A system call that failed: which, on what, and the kernel's reason.
public struct KernelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The call's name as in its man page.
    public let call: String
    /// The path or thing it was used on; empty when the name says enough.
    public let object: String
    /// The error number (errno(3)).
    public let errno: CInt

    /// Describes a failed call; `errno` is the calling thread's current one unless given.
    public init(_ call: String, _ object: String = "", errno: CInt = currentErrno()) {
        self.call = call
        self.object = object
        self.errno = errno
    }

    /// The kernel's reason in words, as strerror(3) has it.
    public var reason: String { Self.reason(errno) }

    /// The words for an error number.
    public static func reason(_ errno: CInt) -> String {
        // strerror returns a string that stays valid until this thread's next call of it.
        unsafe String(cString: strerror(errno))
    }

    /// `call 'object': reason`.
    public var description: String {
        object.isEmpty ? "\(call): \(reason)" : "\(call) '\(object)': \(reason)"
    }
}

/// The one door to the kernel: repeats an interrupted call and turns -1 into an error.
///
/// EBADF and EFAULT trap: they are mistakes of this program, never of its surroundings.
public func check<Result: SignedInteger>(
    _ call: String, _ object: @autoclosure () -> String = "", _ body: () -> Result
) throws(KernelError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = currentErrno()
        if code == interrupted { continue }
        precondition(!isProgrammingMistake(code), "a bad descriptor or address reached the kernel")
        throw KernelError(call, object(), errno: code)
    }
}

/// The calling thread's errno.
public func currentErrno() -> CInt { errno }

/// EINTR, for the inlined wrapper.
let interrupted: CInt = EINTR

/// Whether an error number means that this program passed nonsense.
func isProgrammingMistake(_ code: CInt) -> Bool { code == EBADF || code == EFAULT }
