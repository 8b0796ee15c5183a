/// When what is due: a binary heap of one deadline for each place of the table.
struct Deadlines {
    private struct Entry {
        var due: UInt64
        var place: Int
    }
    private var heap: [Entry] = []
    /// Where in the heap a place's deadline is; -1 for none.
    private var positions: [Int] = []

    /// The earliest, in microseconds of the caller's clock; nil when there is none.
    var next: UInt64? { heap.first?.due }

    /// The place of the earliest that is due, taken out.
    mutating func pop(at now: UInt64) -> Int? {
        guard let first = heap.first, first.due <= now else { return nil }
        remove(first.place)
        return first.place
    }

    /// Sets or changes a place's deadline.
    mutating func set(_ place: Int, _ due: UInt64) {
        while positions.count <= place { positions.append(-1) }
        var at = positions[place]
        if at < 0 {
            at = heap.count
            heap.append(Entry(due: due, place: place))
            positions[place] = at
        } else {
            heap[at].due = due
        }
        settle(at)
    }

    /// Takes a place's deadline out, if it has one.
    mutating func remove(_ place: Int) {
        guard place < positions.count, positions[place] >= 0 else { return }
        let at = positions[place]
        positions[place] = -1
        let last = heap.removeLast()
        guard last.place != place else { return }
        heap[at] = last
        positions[last.place] = at
        settle(at)
    }

    /// Moves an entry to where it belongs.
    private mutating func settle(_ start: Int) {
        var at = start
        while at > 0, heap[at].due < heap[(at - 1) / 2].due {
            swap(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
        while let child = smallestChild(of: at), heap[child].due < heap[at].due {
            swap(at, child)
            at = child
        }
    }

    private func smallestChild(of at: Int) -> Int? {
        let (left, right) = (2 * at + 1, 2 * at + 2)
        guard left < heap.count else { return nil }
        return right < heap.count && heap[right].due < heap[left].due ? right : left
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        positions[heap[a].place] = a
        positions[heap[b].place] = b
    }
}
