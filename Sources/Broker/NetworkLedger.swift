internal import Control
internal import NIOCore
internal import NetworkRules
internal import Store
internal import SupervisorProtocol

/// What the broker knows of the network and has not written yet.
struct NetworkLedger {
    /// Whether there is a way out of sandboxes.
    enum Gateway {
        /// None has come yet.
        case awaited
        /// It decides and tells.
        case up(EgressLink)
        /// It has gone, and no other has come.
        case gone
    }

    var gateway = Gateway.awaited
    /// Notices that the gateway had no room for.
    var notices: [EgressNotice] = []
    /// Connections that were allowed and have not ended, by the gateway's number.
    var open: [UInt64: OpenConnection] = [:]
    /// What bounds each sandbox's decisions.
    var sandboxes: [UInt64: SandboxDecisions] = [:]
    /// What is not recorded yet.
    var changes: [NetworkChange] = []
    var isRecording = false
    /// The last decision's number.
    var lastNumber = 0
    /// The last change of anything.
    var lastChanged = 0
    /// Decisions that were not kept.
    var missed = 0
    /// Who waits for news.
    var waiters: [NetworkWaiter] = []
    /// Who waits to know what open connections have carried, by serial number.
    var measures: [UInt64: () -> Void] = [:]
    var lastSerial: UInt64 = 0
    /// Whether so much came at once that the gateway may hold back what it decided since.
    var isCongested = false
    /// What owners had used of a day when this gateway came, until it has been told.
    var spent: (day: Int, bytes: [String: Int]) = (0, [:])
    var lines = RateBound(perSecond: Limit.denialLinesPerSecond, atOnce: Limit.denialLinesAtOnce)
    /// Refusals that were not logged since the last one that was.
    var unlogged = 0

    /// The gateway, when there is one.
    var link: EgressLink? { if case .up(let link) = gateway { link } else { nil } }
    /// Whether there was one and is none now.
    var isGone: Bool { if case .gone = gateway { true } else { false } }

    /// A decision's number and id, which were never used.
    mutating func takeNumber() -> (number: Int, id: String) {
        lastNumber += 1
        return (lastNumber, decisionID(lastNumber))
    }

    /// The number of the next change.
    mutating func takeChange() -> Int {
        lastChanged += 1
        return lastChanged
    }
}

/// A connection through the gateway.
struct OpenConnection {
    let decision: EgressDecision
    /// The decision's number in the ledger; nil when it was not kept.
    let number: Int?
    let id: String
    let user: UInt32?
    let connection: ManagedConnection?
    let subject: String
    let began = NIODeadline.now()
    var sent: UInt64 = 0
    var received: UInt64 = 0
}

/// What bounds the decisions of one sandbox.
struct SandboxDecisions {
    /// What makes two decisions the same.
    struct Kind: Hashable {
        let kind: EgressDecision.Kind
        let name: String
        let address: IPAddress?
        let port: UInt16
        let denial: Denial?
    }

    /// A decision that may come again.
    struct Known {
        let number: Int
        var count: Int
    }

    var rows = RateBound(perSecond: Limit.decisionsPerSecond, atOnce: Limit.decisionsAtOnce)
    /// Decisions since a call last began or ended.
    var known: [Kind: Known] = [:]
}

/// So many in a second on average, and a few more at once.
struct RateBound {
    private let perSecond: Int
    private let atOnce: Int
    private var left: Int
    private var filled = NIODeadline.now()

    init(perSecond: Int, atOnce: Int) {
        self.perSecond = perSecond
        self.atOnce = atOnce
        left = atOnce
    }

    /// Whether one more may be.
    mutating func take() -> Bool {
        let now = NIODeadline.now()
        let earned = (now - filled).nanoseconds / (1_000_000_000 / Int64(perSecond))
        if earned > 0 {
            left = Int(min(Int64(left) + earned, Int64(atOnce)))
            filled = now
        }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}

/// Who waits for decisions that have not been made yet.
struct NetworkWaiter {
    let client: Client
    let request: ControlRequest
    /// Whose decisions; nil for everybody's.
    let user: UInt32?
    let connection: ManagedConnection?
    /// The change after which news begin.
    let after: Int
    let count: Int
    let timer: Scheduled<Void>
}

/// What people call a decision by: at least four hexadecimal digits, different for each number.
///
/// An odd factor permutes the numbers of as many digits, so that a wrong digit seldom hits another
/// decision; ids of other lengths differ anyway.
func decisionID(_ number: Int) -> String {
    let digits = max(4, String(number, radix: 16).utf8.count)
    let scrambled = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    let text = String(digits < 16 ? scrambled & (1 << (4 * digits) - 1) : scrambled, radix: 16)
    return String(repeating: "0", count: digits - text.utf8.count) + text
}

extension EgressEnding.Cause {
    /// The cause by the name that messages carry.
    var name: String {
        switch self {
        case .finished: "finished"
        case .resetByTool: "reset_by_tool"
        case .resetByRemote: "reset_by_remote"
        case .unreachable: "unreachable"
        case .idle: "idle"
        case .life: "life"
        case .denied: "denied"
        case .sandboxEnded: "sandbox_ended"
        }
    }
}
