public import YAML

/// Which system calls a sandbox may make: a data file in which each entry has its reason.
///
/// What no entry names gets the `standard` action. Names are checked where the filter is built.
public struct SyscallProfile: Sendable, Equatable {
    /// The name that policies refer to it by.
    public var name: String
    /// What happens to calls and arguments that no rule names.
    public var standard: Action
    /// The entries as the file has them.
    public var entries: [Entry]
    /// The file it was read from.
    public var file: String

    /// What happens to a call.
    public enum Action: Sendable, Hashable {
        /// It is made.
        case allow
        /// It fails with this error, `EPERM`, and never reaches the kernel's code for it.
        case errno(ErrnoName)
        /// The whole process is killed.
        case kill
    }

    /// Calls that are treated alike, for one reason.
    public struct Entry: Sendable, Equatable {
        /// The calls' names.
        public var calls: [String]
        /// What happens to them.
        public var action: Action
        /// Conditions on arguments, all of which must hold; empty means always.
        public var when: [Condition]
        /// Why.
        public var why: String
        /// Where it stands.
        public var place: Place
    }

    /// A condition on one argument as the file has it; one of several values may be named.
    public struct Condition: Sendable, Equatable {
        /// The argument's index, 0 to 5.
        public var argument: Int
        /// The comparison.
        public var comparison: Comparison
        /// What it is compared with; more than one means any of them.
        public var values: [UInt64]
        /// The bits that are compared, for `masked_eq` and `masked_ne`; all ones otherwise.
        public var mask: UInt64
    }

    /// How an argument is compared: all 64 bits unless a mask is given.
    public enum Comparison: String, Sendable, CaseIterable {
        /// Equal.
        case eq
        /// Not equal.
        case ne
        /// Equal in the mask's bits.
        case maskedEqual = "masked_eq"
        /// Different in at least one of the mask's bits.
        case maskedNotEqual = "masked_ne"
        /// Less than.
        case lt
        /// Less than or equal.
        case le
        /// Greater than.
        case gt
        /// Greater than or equal.
        case ge
    }
}

/// The error codes a profile may name, with Linux's numbers (the same on x86-64 and arm64).
public enum ErrnoName: String, Sendable, CaseIterable {
    /// Operation not permitted.
    case EPERM
    /// Permission denied.
    case EACCES
    /// Invalid argument.
    case EINVAL
    /// Inappropriate ioctl for device.
    case ENOTTY
    /// Function not implemented.
    case ENOSYS
    /// Protocol not supported.
    case EPROTONOSUPPORT
    /// Operation not supported.
    case EOPNOTSUPP
    /// Address family not supported.
    case EAFNOSUPPORT

    /// The number, as in asm-generic/errno.h.
    public var number: Int32 {
        switch self {
        case .EPERM: 1
        case .EACCES: 13
        case .EINVAL: 22
        case .ENOTTY: 25
        case .ENOSYS: 38
        case .EPROTONOSUPPORT: 93
        case .EOPNOTSUPP: 95
        case .EAFNOSUPPORT: 97
        }
    }
}
