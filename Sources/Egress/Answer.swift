import Kernel
import NetworkRules
import Wire

/// A name server's answer, reduced to what a sandbox may hear.
struct Answer: Equatable {
    /// The names that stand for each other, and what the last of them has of the kind asked for.
    private(set) var records: [DNSRecord] = []
    /// Addresses that are given out.
    private(set) var given: [IPAddress] = []
    /// Addresses that the sandbox may not connect to on any port.
    private(set) var dropped: [IPAddress] = []
    /// The shortest life of the records, in seconds.
    private(set) var secondsToLive = Limit.leaseSecondsMax

    /// How long the addresses may be connected to.
    var leaseSeconds: UInt32 { max(secondsToLive, Limit.leaseSecondsMin) }

    /// Takes what answers the question: the names that lead from the one asked for to another, in
    /// order, and the records of the last one. `mayAnswer` judges each address.
    init(
        to question: DNSQuestion, from all: [DNSRecord], mayAnswer: (IPAddress) -> Bool
    ) {
        var owner = question.name
        var seen: Set<DNSName> = []
        var life = UInt32.max
        while question.type != .cname, seen.insert(owner).inserted,
            let alias = all.first(where: { $0.owner == owner && $0.data.alias != nil }),
            let target = alias.data.alias
        {
            records.append(alias)
            life = min(life, alias.secondsToLive)
            owner = target
        }
        for record in all where record.owner == owner && record.data.type == question.type {
            if case .address(let bytes) = record.data, let address = IPAddress(bytes: bytes) {
                let real = Endpoint(address, port: 0).address
                guard given.count < Limit.addressesInAnswer else { break }
                guard mayAnswer(real) else {
                    dropped.append(real)
                    continue
                }
                given.append(real)
            }
            records.append(record)
            life = min(life, record.secondsToLive)
        }
        secondsToLive = min(life, Limit.leaseSecondsMax)
        for index in records.indices { records[index].secondsToLive = secondsToLive }
    }
}

extension DNSData {
    /// The name that the owner stands for.
    fileprivate var alias: DNSName? {
        if case .cname(let target) = self { return target }
        return nil
    }
}
