import NetworkRules

/// Which names a sandbox was given an address for, for as long as that holds.
struct Leases {
    private struct Lease {
        var name: HostName
        var until: UInt64
    }
    private var table: [IPAddress: [Lease]] = [:]

    /// How many addresses are remembered.
    var count: Int { table.count }

    /// Remembers that an address was given out for a name; a longer lease stays.
    mutating func note(_ address: IPAddress, for name: HostName, until: UInt64, now: UInt64) {
        var leases = (table[address] ?? []).filter { $0.until > now }
        if let known = leases.firstIndex(where: { $0.name == name }) {
            leases[known].until = max(leases[known].until, until)
        } else {
            if leases.count >= Limit.namesOfAddress,
                let first = leases.indices.min(by: { leases[$0].until < leases[$1].until })
            {
                leases.remove(at: first)
            }
            leases.append(Lease(name: name, until: until))
        }
        if table[address] == nil, table.count >= Limit.leases { makeRoom(now: now) }
        table[address] = leases
    }

    /// The names that an address was given out for and that still hold.
    func names(of address: IPAddress, now: UInt64) -> [HostName] {
        guard let leases = table[address] else { return [] }
        return leases.compactMap { $0.until > now ? $0.name : nil }
    }

    /// Forgets what is over; when all still holds, what would be over first.
    private mutating func makeRoom(now: UInt64) {
        table = table.filter { $0.value.contains { $0.until > now } }
        guard table.count >= Limit.leases else { return }
        func end(_ leases: [Lease]) -> UInt64 { leases.map(\.until).max() ?? 0 }
        if let first = table.min(by: { end($0.value) < end($1.value) }) {
            table[first.key] = nil
        }
    }
}
