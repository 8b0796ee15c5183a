import CKernel
import Glibc

// As nf_tables takes rules over netlink: numbers in network order but for what is compared.

extension Ruleset {
    /// NFNL_SUBSYS_NFTABLES.
    private static let subsystem = 10
    /// NFPROTO_INET: both protocols.
    private static let family: UInt8 = 1

    private static func fixed(_ family: UInt8, resource: UInt16 = 0) -> [UInt8] {
        [family, 0] + resource.network
    }

    /// The batch that makes all of it at once, or nothing, and the names of its messages.
    func batch() -> (messages: NetlinkWriter, names: [String]) {
        var out = NetlinkWriter()
        var names = ["table '\(table)'"]
        let resource = UInt16(Self.subsystem)
        out.message(Kind.begin, [], fixed: Self.fixed(0, resource: resource))
        func make(_ kind: Int, _ body: (inout NetlinkAttributes) -> Void) {
            out.message(
                Self.subsystem << 8 | kind, [.acknowledge, .create, .append],
                fixed: Self.fixed(Self.family), body)
        }
        make(Kind.newTable) { $0.put(Name.table, table) }
        for chain in chains {
            names.append("chain '\(chain.name)'")
            make(Kind.newChain) { chain.write(to: &$0, table: table) }
        }
        for chain in chains {
            for (index, rule) in chain.rules.enumerated() {
                names.append("rule \(index + 1) of chain '\(chain.name)'")
                make(Kind.newRule) { rule.write(to: &$0, table: table, chain: chain.name) }
            }
        }
        out.message(Kind.end, [], fixed: Self.fixed(0, resource: resource))
        return (out, names)
    }

    /// What holds where the calling thread is: every table with every chain and rule.
    static func read() throws(KernelError) -> [Ruleset] {
        let link = try Netlink(Netlink.netfilter)
        let chains: [NetlinkReader]
        do throws(KernelError) {
            chains = try link.dump(request(Kind.getChain), of: "chains")
        } catch  where error.errno == EINVAL {
            // A kernel that knows no rules has none.
            return []
        }
        let rules = try link.dump(request(Kind.getRule), of: "rules")
        var found: [Ruleset] = []
        for message in try link.dump(request(Kind.getTable), of: "tables") {
            let name = message.attributes(after: 4)[type: Name.table]?.text ?? ""
            let own = chains.map { $0.attributes(after: 4) }.filter {
                $0[type: Name.table]?.text == name
            }
            var table = Ruleset(table: name, chains: own.map(Chain.init))
            for rule in rules.map({ $0.attributes(after: 4) }) where rule[type: 1]?.text == name {
                guard let index = table.chains.firstIndex(where: { $0.name == rule[type: 2]?.text })
                else { continue }
                table.chains[index].rules.append(Rule(rule))
            }
            found.append(table)
        }
        return found
    }

    private static func request(_ kind: Int) -> NetlinkWriter {
        var out = NetlinkWriter()
        out.message(subsystem << 8 | kind, .dump, fixed: fixed(0))
        return out
    }

    /// Messages.
    private enum Kind {
        static let begin = 16
        static let end = 17
        static let newTable = 0
        static let getTable = 1
        static let newChain = 3
        static let getChain = 4
        static let newRule = 6
        static let getRule = 7
    }

    /// Attributes that tables, chains and rules have alike.
    fileprivate enum Name {
        static let table = 1
    }
}

extension Ruleset.Chain {
    /// NF_INET_LOCAL_OUT: what processes send.
    private static let output: UInt32 = 3

    fileprivate func write(to out: inout NetlinkAttributes, table: String) {
        out.put(1, table)
        out.put(3, name)
        out.put(4) { hook in
            hook.put(1, network: Self.output)
            hook.put(2, network: priority)
        }
        out.put(5, network: policy.rawValue)
        out.put(7, kind.rawValue)
    }

    /// One that came; at another hook, or of another kind, it has a name that none of ours has.
    fileprivate init(_ attributes: [NetlinkAttribute]) {
        let hook = attributes[type: 4]?.nested ?? []
        let isOutput = hook[type: 1]?.network == UInt64(Self.output)
        let kind = attributes[type: 7].flatMap { Kind(rawValue: $0.text) }
        let name = attributes[type: 3]?.text ?? ""
        self.init(
            name: isOutput && kind != nil ? name : "elsewhere: " + name, kind: kind ?? .filter,
            priority: Int32(truncatingIfNeeded: hook[type: 2]?.network ?? 0),
            policy: attributes[type: 5]?.network == 0 ? .drop : .accept, rules: [])
    }
}

extension Ruleset.Rule {
    fileprivate func write(to out: inout NetlinkAttributes, table: String, chain: String) {
        out.put(1, table)
        out.put(2, chain)
        out.put(4) { list in
            for expression in expressions {
                list.put(1) { element in
                    element.put(1, expression.name)
                    element.put(2, expression.write)
                }
            }
        }
    }

    fileprivate init(_ attributes: [NetlinkAttribute]) {
        self.init(
            expressions: (attributes[type: 4]?.nested ?? []).map { element in
                let parts = element.nested
                return Ruleset.Expression(parts[type: 1]?.text ?? "", parts[type: 2]?.nested ?? [])
            })
    }
}

extension Ruleset.Expression {
    /// NFT_REG_1, and NFT_REG_VERDICT.
    private static let register: UInt32 = 1
    private static let verdictRegister: UInt32 = 0
    /// NFT_LIMIT_F_INV: what is above the limit, not what is below.
    private static let above: UInt32 = 1

    fileprivate var name: String {
        switch self {
        case .meta: "meta"
        case .tracked: "ct"
        case .payload: "payload"
        case .mask: "bitwise"
        case .compare: "cmp"
        case .over: "limit"
        case .load, .verdict: "immediate"
        case .redirect: "redir"
        case .other(let name): name
        }
    }

    fileprivate func write(to out: inout NetlinkAttributes) {
        switch self {
        case .meta(let key), .tracked(let key):
            out.put(1, network: Self.register)
            out.put(2, network: key)
        case .payload(let base, let offset, let length):
            out.put(1, network: Self.register)
            for (index, value) in [base, offset, length].enumerated() {
                out.put(index + 2, network: value)
            }
        case .mask(let bytes):
            out.put(1, network: Self.register)
            out.put(2, network: Self.register)
            out.put(3, network: UInt32(bytes.count))
            out.put(4) { $0.put(1, bytes) }
            out.put(5) { $0.put(1, [UInt8](repeating: 0, count: bytes.count)) }
        case .compare(let operation, let bytes):
            out.put(1, network: Self.register)
            out.put(2, network: operation)
            out.put(3) { $0.put(1, bytes) }
        case .over(let rate, let burst):
            out.put(1, network: rate)
            out.put(2, network: UInt64(1))
            out.put(3, network: burst)
            out.put(5, network: Self.above)
        case .load(let bytes):
            out.put(1, network: Self.register)
            out.put(2) { $0.put(1, bytes) }
        case .redirect: out.put(1, network: Self.register)
        case .verdict(let verdict):
            out.put(1, network: Self.verdictRegister)
            out.put(2) { $0.put(2) { $0.put(1, network: verdict.rawValue) } }
        case .other: break
        }
    }

    fileprivate init(_ name: String, _ fields: [NetlinkAttribute]) {
        func number(_ type: Int) -> UInt32 {
            UInt32(truncatingIfNeeded: fields[type: type]?.network ?? 0)
        }
        func data(_ type: Int) -> [UInt8] {
            Array(fields[type: type]?.nested[type: 1]?.value ?? [])
        }
        let isPlain = [1, 2].allSatisfy { fields[type: $0] == nil || number($0) == Self.register }
        switch name {
        case "meta" where number(1) == Self.register: self = .meta(key: number(2))
        case "ct" where number(1) == Self.register: self = .tracked(key: number(2))
        case "payload" where number(1) == Self.register:
            self = .payload(base: number(2), offset: number(3), length: number(4))
        case "bitwise" where isPlain && data(5).allSatisfy { $0 == 0 }: self = .mask(data(4))
        case "cmp" where number(1) == Self.register:
            self = .compare(operation: number(2), data(3))
        case "limit" where fields[type: 2]?.network == 1 && number(5) == Self.above:
            self = .over(rate: fields[type: 1]?.network ?? 0, burst: number(3))
        case "immediate": self = Self.immediate(number(1), fields[type: 2]?.nested ?? [])
        case "redir" where number(1) == Self.register: self = .redirect
        default: self = .other(name)
        }
    }

    private static func immediate(_ register: UInt32, _ data: [NetlinkAttribute]) -> Self {
        if register == Self.register, let bytes = data[type: 1]?.value {
            return .load(Array(bytes))
        }
        let code = data[type: 2]?.nested[type: 1]?.network
        guard register == verdictRegister, let code,
            let verdict = Ruleset.Verdict(rawValue: UInt32(truncatingIfNeeded: code))
        else { return .other("immediate") }
        return .verdict(verdict)
    }
}
