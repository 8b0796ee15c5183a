/// Rules for packets (nftables), as a namespace gets them: one table with chains.
struct Ruleset: Sendable, Equatable {
    let table: String
    var chains: [Chain]

    /// Rules at one place of a packet's way.
    struct Chain: Sendable, Equatable {
        /// What its rules may do.
        enum Kind: String, Sendable {
            /// Change where a connection goes; its first packet alone comes here.
            case nat
            /// Let a packet pass, or not.
            case filter
        }
        let name: String
        let kind: Kind
        /// Lower comes earlier; every chain sees what leaves a process.
        let priority: Int32
        /// What becomes of a packet that no rule decides.
        let policy: Verdict
        var rules: [Rule]
    }

    /// What becomes of a packet.
    enum Verdict: UInt32, Sendable {
        case drop = 0
        case accept = 1
    }

    /// What must be true of a packet, then what is done with it.
    struct Rule: Sendable, Equatable {
        var expressions: [Expression]

        init(_ matches: Match..., do action: Action) {
            expressions = matches.flatMap(\.expressions) + action.expressions
        }

        init(expressions: [Expression]) { self.expressions = expressions }
    }

    /// One instruction of the kernel's; each works on register 1.
    enum Expression: Sendable, Equatable {
        case meta(key: UInt32)
        case tracked(key: UInt32)
        case payload(base: UInt32, offset: UInt32, length: UInt32)
        case mask([UInt8])
        /// 0 for equal, 1 for different.
        case compare(operation: UInt32, [UInt8])
        /// More than `rate` in a second, after `burst` at once.
        case over(rate: UInt64, burst: UInt32)
        case load([UInt8])
        /// To this host itself, at the port in the register.
        case redirect
        case verdict(Verdict)
        /// One that no ruleset of ours has.
        case other(String)
    }
}

extension Ruleset {
    /// Something that can be true of a packet.
    enum Match {
        case tcp
        case udp
        case icmp
        case icmpv6
        /// The address it goes to, or those that share its first bits.
        case to4([UInt8], bits: UInt32)
        case to6([UInt8])
        /// The port that it goes to, of TCP or UDP.
        case port(UInt16)
        case portIsNot(UInt16)
        /// Of its connection.
        case new
        case established
        case related
        /// Its connection goes somewhere else than where it was begun to.
        case redirected
        case over(rate: UInt64)

        var expressions: [Expression] {
            switch self {
            case .tcp: [.meta(key: Key.transport), .compare(operation: 0, [6])]
            case .udp: [.meta(key: Key.transport), .compare(operation: 0, [17])]
            case .icmp: [.meta(key: Key.transport), .compare(operation: 0, [1])]
            case .icmpv6: [.meta(key: Key.transport), .compare(operation: 0, [58])]
            case .to4(let address, let bits):
                [
                    .meta(key: Key.family), .compare(operation: 0, [2]),
                    .payload(base: Key.networkHeader, offset: 16, length: 4),
                    .mask((UInt32.max << (32 - bits)).network), .compare(operation: 0, address),
                ]
            case .to6(let address):
                [
                    .meta(key: Key.family), .compare(operation: 0, [10]),
                    .payload(base: Key.networkHeader, offset: 24, length: 16),
                    .compare(operation: 0, address),
                ]
            case .port(let port):
                [
                    .payload(base: Key.transportHeader, offset: 2, length: 2),
                    .compare(operation: 0, port.network),
                ]
            case .portIsNot(let port):
                [
                    .payload(base: Key.transportHeader, offset: 2, length: 2),
                    .compare(operation: 1, port.network),
                ]
            case .new: Self.bit(Key.state, 8)
            case .established: Self.bit(Key.state, 2)
            case .related: Self.bit(Key.state, 4)
            case .redirected: Self.bit(Key.status, 1 << 5)
            case .over(let rate): [.over(rate: rate, burst: UInt32(clamping: rate))]
            }
        }

        private static func bit(_ key: UInt32, _ bit: UInt32) -> [Expression] {
            [
                .tracked(key: key), .mask(bit.host),
                .compare(operation: 1, [0, 0, 0, 0]),
            ]
        }

        /// Numbers of linux/netfilter/nf_tables.h.
        private enum Key {
            /// NFT_META_NFPROTO and NFT_META_L4PROTO.
            static let family: UInt32 = 15
            static let transport: UInt32 = 16
            /// NFT_PAYLOAD_NETWORK_HEADER and NFT_PAYLOAD_TRANSPORT_HEADER.
            static let networkHeader: UInt32 = 1
            static let transportHeader: UInt32 = 2
            /// NFT_CT_STATE, with a bit for each state, and NFT_CT_STATUS (IPS_DST_NAT).
            static let state: UInt32 = 0
            static let status: UInt32 = 2
        }
    }

    /// What is done with a packet.
    enum Action {
        case accept
        case drop
        /// Its connection goes to this host itself, to this port.
        case redirect(to: UInt16)

        var expressions: [Expression] {
            switch self {
            case .accept: [.verdict(.accept)]
            case .drop: [.verdict(.drop)]
            case .redirect(let port): [.load(port.network), .redirect]
            }
        }
    }
}
