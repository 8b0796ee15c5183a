/// The candidate that a misspelt word most likely meant: at most two edits away, the nearest first;
/// nil when none is.
public func nearest(_ word: String, among candidates: [String]) -> String? {
    // Words longer than this are not misspelt keys, and the distance costs length squared.
    guard word.unicodeScalars.count <= 64 else { return nil }
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
        let distance = editDistance(Array(word.unicodeScalars), Array(candidate.unicodeScalars))
        // Two edits turn any two-letter word into any other: a hint must keep most of the word.
        guard distance <= 2, distance < candidate.unicodeScalars.count else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate) }
    }
    return best?.candidate
}

/// The fewest insertions, deletions, replacements and swaps of neighbours between two words
/// (optimal string alignment).
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                cost = min(cost, beforeLast[j - 1] + 1)
            }
            row.append(cost)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}
