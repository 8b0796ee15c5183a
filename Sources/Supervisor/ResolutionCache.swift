import Configuration
import Policy
import SupervisorProtocol

/// What requests for servers have come to, for those that come again: a start waits for it.
///
/// A result holds for the very policies, cards, accounts and settings that it was found with, and
/// each is compared again. Requests with credentials are resolved anew: no secret is kept here.
struct ResolutionCache {
    private struct Key: Hashable {
        let user: UInt32
        let card: String
    }
    private struct Entry {
        let settings: [Request.Setting]
        let set: PolicySet
        /// Which reading of the accounts.
        let accounts: Int
        let resolution: Resolution
    }

    private var entries: [Key: Entry] = [:]

    /// The result for a request; `resolve` finds one that is not known.
    mutating func resolution(
        _ request: Request.Start, set: PolicySet, accounts: Int,
        _ resolve: () throws(Refusal) -> Resolution
    ) throws(Refusal) -> Resolution {
        guard request.credentials.isEmpty else { return try resolve() }
        let key = Key(user: request.user, card: request.card)
        // Equal sets are one set as a rule, and then no value of it is looked at.
        if let entry = entries[key], entry.accounts == accounts, entry.set == set,
            entry.settings == request.settings
        {
            return entry.resolution
        }
        let resolution = try resolve()
        if entries.count >= Limit.resolutions { entries = [:] }
        entries[key] = Entry(
            settings: request.settings, set: set, accounts: accounts, resolution: resolution)
        return resolution
    }
}
