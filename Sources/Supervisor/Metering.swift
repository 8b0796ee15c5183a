import Kernel
import SupervisorProtocol

extension Meters {
    /// What a cgroup counts, in the words of the protocol.
    init(_ kinds: CgroupMeters.Kinds?) {
        let processor: Processor =
            switch kinds?.processor {
            case .nanoseconds: .nanoseconds
            case .microseconds: .microseconds
            case nil: .none
            }
        let peak: Peak =
            switch kinds?.peak {
            case .fixed: .fixed
            case .ofGroup: .ofGroup
            case .ofDescriptor: .ofDescriptor
            case nil: .none
            }
        self.init(processor: processor, peak: peak)
    }
}
