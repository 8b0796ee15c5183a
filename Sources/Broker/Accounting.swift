internal import Control
internal import Kernel
internal import NIOCore
internal import SupervisorProtocol

/// What is known of a call while it runs, for the account at its end.
struct Account {
    /// The sandbox's CPU time when the call began; nil where it is not counted.
    var cpuMicroseconds: UInt64?
    /// Since when the peak is one that will be read at the end; nil where it is not counted.
    var peakSince: CallUsage.PeakSince?
    /// Bytes of the call as it went to the server.
    var bytesIn = 0
    /// Bytes that the server has answered with.
    var bytesOut = 0
    /// Whether other work of the server ran meanwhile.
    var isShared = false
}

extension Server {
    /// Opens the account of a call that is about to go out: before the server can begin with it.
    func openAccount() -> Account {
        var account = Account()
        account.isShared = !calls.isEmpty || !unfinished.isEmpty
        // Of several calls all but the first have been marked already.
        if calls.count == 1 { for number in calls.keys { calls[number]?.account.isShared = true } }
        account.cpuMicroseconds = meters?.cpuMicroseconds()
        switch meters?.kinds.peak {
        case .fixed: account.peakSince = .start
        case .ofGroup, .ofDescriptor:
            // Set back under a call that runs, the peak would not be that call's any more.
            if !calls.isEmpty {
                account.peakSince = .overlap
            } else {
                account.peakSince = meters?.resetPeak() == true ? .call : .start
            }
        case nil: break
        }
        return account
    }

    /// What a call used until now, or until its sandbox ended.
    func usage(of call: Call) -> CallUsage {
        let account = call.account
        let wall = (NIODeadline.now() - call.began).nanoseconds / 1000
        // The files of a sandbox that is gone are gone too; the supervisor has read them before.
        let final = ending?.usage
        let cpu = final?.cpuMicroseconds ?? meters?.cpuMicroseconds()
        var since = account.peakSince
        var peak = since == nil ? nil : final?.memoryPeakBytes ?? meters?.memoryPeakBytes()
        // What it has read is not set back by a reset that holds for the broker's descriptor alone.
        if final != nil, meters?.kinds.peak == .ofDescriptor { since = .start }
        if peak == nil { since = nil }
        if since == nil { peak = nil }
        return CallUsage(
            wallMicroseconds: Int(wall),
            cpuMicroseconds: account.cpuMicroseconds.flatMap { began in
                cpu.flatMap { $0 >= began ? Int($0 - began) : nil }
            },
            memoryPeakBytes: peak.map { Int($0) }, memoryPeakSince: since,
            bytesIn: account.bytesIn, bytesOut: account.bytesOut, shared: account.isShared)
    }

    /// Notes that nobody waits for a call any more which the server may still be working on.
    func leaveUnfinished(_ number: Int) {
        guard unfinished.count < Limit.callsPerServer else { return }
        unfinished.insert(number)
    }
}

extension CgroupMeters {
    /// Takes over the descriptors that came with a start.
    convenience init(_ meters: Meters, owning raw: [CInt]) {
        let processor: Processor? =
            switch meters.processor {
            case .none: nil
            case .nanoseconds: .nanoseconds
            case .microseconds: .microseconds
            }
        let peak: Peak? =
            switch meters.peak {
            case .none: nil
            case .fixed: .fixed
            case .ofGroup: .ofGroup
            case .ofDescriptor: .ofDescriptor
            }
        self.init(kinds: Kinds(processor: processor, peak: peak), owning: raw)
    }
}
