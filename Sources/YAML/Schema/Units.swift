/// A number of bytes as a policy would write it: `128MiB`, `1536` where no unit divides it.
public func sizeText(_ bytes: Int) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
    for (shift, unit) in units where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
        return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
}

/// A time as a policy would write it: `10m`, `90s`, `500ms`.
public func durationText(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
    for (size, unit) in units where milliseconds >= size && milliseconds % size == 0 {
        return "\(milliseconds / size)\(unit)"
    }
    return "\(milliseconds)ms"
}

/// Thousandths of a core as a policy would write them: `1`, `0.5`.
public func coresText(_ millicores: Int) -> String {
    let fraction = millicores % 1000
    guard fraction > 0 else { return "\(millicores / 1000)" }
    var digits = String(String(1000 + fraction).dropFirst())
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(millicores / 1000).\(digits)"
}

extension Duration {
    /// The time in milliseconds, what is less cut off.
    public var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
