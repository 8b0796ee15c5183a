import CLaunch

/// What corral-launch says, on a template's socket or a sandbox's status pipe.
public enum Report: Sendable, Equatable {
    /// The template's tree stands.
    case ready
    /// A sandbox was born; its pid 1 as the host sees it.
    case cloned(pid: Int32)
    /// It is confined, behind this version of Landlock's ABI, and waits to be told what to run.
    case waiting(landlock: Int32)
    /// Its tool has been executed, behind this version of Landlock's ABI; 0 for none.
    case started(landlock: Int32)
    /// A step failed; nothing of it is left.
    case failed(SandboxError)
    /// Its tool has ended.
    case exited(status: Int32, signal: Int32)

    /// The size of a report in bytes.
    public static let size = 24

    /// Reads one report; nil when the bytes are none.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        func field(_ index: Int) -> Int32 {
            let start = index * 4
            let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
            return Int32(bitPattern: value)
        }
        switch Int(field(0)) {
        case Int(CORRAL_REPORT_READY): self = .ready
        case Int(CORRAL_REPORT_CLONED): self = .cloned(pid: field(3))
        case Int(CORRAL_REPORT_WAITING): self = .waiting(landlock: field(2))
        case Int(CORRAL_REPORT_STARTED): self = .started(landlock: field(2))
        case Int(CORRAL_REPORT_FAILED):
            // The name is one of a table of constants.
            let step = unsafe String(
                cString: corral_launch_step_name(UInt32(bitPattern: field(1))))
            self = .failed(SandboxError(launcherStep: step, errno: field(2)))
        case Int(CORRAL_REPORT_EXITED): self = .exited(status: field(4), signal: field(5))
        default: return nil
        }
    }
}
