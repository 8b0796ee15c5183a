/// A filter as a graph of decisions in which nothing stands twice: what is decided alike is one
/// node, and what is known already is not asked again.
struct DecisionGraph {
    /// A node's number.
    typealias ID = Int

    /// One step of a decision; everything it leads to is there already.
    enum Node: Hashable {
        case answer(UInt32)
        /// Looks at a word of the call's description, by its offset in bytes.
        case load(UInt32, then: ID)
        /// Keeps some bits of what was looked at.
        case mask(UInt32, then: ID)
        case compare(BPF.Comparison, UInt32, yes: ID, no: ID)
    }

    /// What the accumulator holds.
    private enum Word: Hashable {
        case plain(UInt32)
        case masked(UInt32, mask: UInt32)
    }

    /// What is known of words on the way to a node.
    private struct Known: Hashable {
        var held: Word?
        var equal: [Word: UInt32] = [:]
    }

    private struct Question: Hashable {
        let node: ID
        let known: Known
    }

    private(set) var nodes: [Node] = []
    private var numbers: [Node: ID] = [:]
    private var simplified: [Question: ID] = [:]

    /// The node's number, the same for equal nodes. One that changes nothing is what it leads to.
    mutating func add(_ node: Node) -> ID {
        switch node {
        case .compare(_, _, let yes, let no) where yes == no: return yes
        case .load(_, let next), .mask(_, let next):
            // What is looked at and then forgotten need not be looked at.
            switch nodes[next] {
            case .answer, .load: return next
            case .mask, .compare: break
            }
        default: break
        }
        if let number = numbers[node] { return number }
        nodes.append(node)
        numbers[node] = nodes.count - 1
        return nodes.count - 1
    }

    /// The same decisions without questions whose answer is known from those before.
    mutating func simplify(_ root: ID) -> ID { simplify(root, knowing: Known()) }

    private mutating func simplify(_ id: ID, knowing known: Known) -> ID {
        let question = Question(node: id, known: known)
        if let answer = simplified[question] { return answer }
        let result: ID
        switch nodes[id] {
        case .answer: result = id
        case .load(let offset, let next):
            if known.held == .plain(offset) {
                result = simplify(next, knowing: known)
            } else {
                var then = known
                then.held = .plain(offset)
                result = add(.load(offset, then: simplify(next, knowing: then)))
            }
        case .mask(let mask, let next):
            var then = known
            if case .plain(let offset) = known.held {
                then.held = .masked(offset, mask: mask)
            } else {
                then.held = nil
            }
            result = add(.mask(mask, then: simplify(next, knowing: then)))
        case .compare(let comparison, let value, let yes, let no):
            result = simplify(comparison, value, yes: yes, no: no, knowing: known)
        }
        simplified[question] = result
        return result
    }

    private mutating func simplify(
        _ comparison: BPF.Comparison, _ value: UInt32, yes: ID, no: ID, knowing known: Known
    ) -> ID {
        guard let word = known.held else {
            return add(
                .compare(
                    comparison, value, yes: simplify(yes, knowing: known),
                    no: simplify(no, knowing: known)))
        }
        if let equal = known.equal[word] {
            return simplify(comparison.holds(equal, value) ? yes : no, knowing: known)
        }
        var whenYes = known
        if comparison == .equal { whenYes.equal[word] = value }
        return add(
            .compare(
                comparison, value, yes: simplify(yes, knowing: whenYes),
                no: simplify(no, knowing: known)))
    }

    /// The instructions that decide as the root does.
    func instructions(from root: ID) -> [BPF] {
        var writer = Writer(nodes: nodes)
        writer.write(root)
        return writer.output.reversed()
    }

    /// Writes from the end: where a jump leads is then known before the jump.
    private struct Writer {
        let nodes: [Node]
        /// The last instruction first.
        var output: [BPF] = []
        /// Where each node's first instruction is in `output`.
        private var places: [ID: Int] = [:]

        init(nodes: [Node]) { self.nodes = nodes }

        mutating func write(_ id: ID) {
            guard places[id] == nil else { return }
            switch nodes[id] {
            case .answer(let value): output.append(.answer(value))
            case .load(let offset, let next): follow(.load(offset), with: next)
            case .mask(let mask, let next): follow(.mask(mask), with: next)
            case .compare(let comparison, let value, let yes, let no):
                write(no)
                write(yes)
                // The one that may need a jump of its own first, as it moves the other.
                bring(no, within: 1)
                bring(yes, within: 0)
                output.append(
                    .compare(
                        comparison, value, true: UInt8(distance(to: yes)),
                        false: UInt8(distance(to: no))))
            }
            places[id] = output.count - 1
        }

        /// An instruction after which the next node goes on.
        private mutating func follow(_ instruction: BPF, with next: ID) {
            write(next)
            if places[next] != output.count - 1 { jump(to: next) }
            output.append(instruction)
        }

        /// From here on the node is the jump, or its own answer once more: the nearest to what
        /// is written next.
        private mutating func jump(to id: ID) {
            if case .answer(let value) = nodes[id] {
                output.append(.answer(value))
            } else {
                output.append(.jump(UInt32(distance(to: id))))
            }
            places[id] = output.count - 1
        }

        /// Sees to it that a comparison can name the node, `more` instructions after the next.
        private mutating func bring(_ id: ID, within more: Int) {
            if distance(to: id) + more > Int(UInt8.max) { jump(to: id) }
        }

        /// How far the next instruction has to jump; everything is written before it is asked for.
        private func distance(to id: ID) -> Int { output.count - 1 - (places[id] ?? 0) }
    }
}
