/// Whether a name matches a pattern in which `*` stands for any text, the empty one included.
///
/// Every other character stands for itself. Takes time in proportion to the product of both
/// lengths at most.
public func matches(_ name: String, pattern: String) -> Bool {
    let name = Array(name.utf8)
    let pattern = Array(pattern.utf8)
    var n = 0
    var p = 0
    // Where the last `*` was, and how much of the name it has taken so far.
    var star: (pattern: Int, name: Int)?
    while n < name.count {
        if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
            star = (p, n)
            p += 1
        } else if p < pattern.count, pattern[p] == name[n] {
            n += 1
            p += 1
        } else if let last = star {
            star = (last.pattern, last.name + 1)
            n = last.name + 1
            p = last.pattern + 1
        } else {
            return false
        }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
}
