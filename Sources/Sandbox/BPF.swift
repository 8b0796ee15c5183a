/// One instruction of classic BPF, `struct sock_filter` (linux/filter.h), as far as system call
/// filters use it.
struct BPF: Equatable {
    /// How two numbers are compared.
    enum Comparison {
        case equal, greater, atLeast, anyBit

        var code: UInt16 {
            switch self {
            case .equal: 0x15
            case .greater: 0x25
            case .atLeast: 0x35
            case .anyBit: 0x45
            }
        }

        func holds(_ left: UInt32, _ right: UInt32) -> Bool {
            switch self {
            case .equal: left == right
            case .greater: left > right
            case .atLeast: left >= right
            case .anyBit: left & right != 0
            }
        }
    }

    /// What an instruction does.
    enum Kind {
        /// Puts a word of the call's description into the accumulator, by its offset in bytes.
        case load(UInt32)
        /// Jumps by its value.
        case jump
        /// Jumps by one of two distances.
        case compare(Comparison)
        /// Ends with its value.
        case answer
        /// Keeps the bits of its value.
        case mask
        /// Something else, which libseccomp does not write.
        case other
    }

    /// As the kernel has it on a little-endian machine: code, jt, jf, k.
    let raw: UInt64

    init(_ raw: UInt64) { self.raw = raw }

    private init(
        _ code: UInt16, _ value: UInt32, true whenTrue: UInt8 = 0, false whenFalse: UInt8 = 0
    ) {
        raw =
            UInt64(code) | UInt64(whenTrue) << 16 | UInt64(whenFalse) << 24 | UInt64(value) << 32
    }

    var code: UInt16 { UInt16(truncatingIfNeeded: raw) }
    /// How far to go on when a comparison holds.
    var whenTrue: UInt8 { UInt8(truncatingIfNeeded: raw >> 16) }
    /// How far when it does not.
    var whenFalse: UInt8 { UInt8(truncatingIfNeeded: raw >> 24) }
    var value: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }

    var kind: Kind {
        switch code {
        case 0x20: .load(value)
        case 0x05: .jump
        case 0x15: .compare(.equal)
        case 0x25: .compare(.greater)
        case 0x35: .compare(.atLeast)
        case 0x45: .compare(.anyBit)
        case 0x06: .answer
        case 0x54: .mask
        default: .other
        }
    }

    var isComparison: Bool {
        if case .compare = kind { true } else { false }
    }

    static func load(_ offset: UInt32) -> BPF { BPF(0x20, offset) }
    static func jump(_ distance: UInt32) -> BPF { BPF(0x05, distance) }
    static func answer(_ value: UInt32) -> BPF { BPF(0x06, value) }
    static func mask(_ value: UInt32) -> BPF { BPF(0x54, value) }
    static func compare(
        _ comparison: Comparison, _ value: UInt32, true yes: UInt8, false no: UInt8
    ) -> BPF {
        BPF(comparison.code, value, true: yes, false: no)
    }
}
