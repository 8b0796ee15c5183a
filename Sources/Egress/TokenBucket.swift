/// So many a second, and as many at once (microseconds of one clock throughout).
struct TokenBucket {
    /// How many a second.
    private(set) var rate: Int
    /// Microseconds' worth of what is left, as a multiple of 1 / rate.
    private var credit: UInt64
    private var last: UInt64

    init(perSecond rate: Int, at now: UInt64) {
        self.rate = rate
        credit = UInt64(rate) * 1_000_000
        last = now
    }

    /// Takes one when there is one.
    mutating func take(at now: UInt64) -> Bool {
        let full = UInt64(rate) * 1_000_000
        // Never more than a second's worth counts, so nothing overflows.
        let elapsed = min(now > last ? now - last : 0, 1_000_000)
        last = max(now, last)
        credit = min(full, credit + elapsed * UInt64(rate))
        guard credit >= 1_000_000 else { return false }
        credit -= 1_000_000
        return true
    }

    /// Changes the rate; what was used stays used.
    mutating func change(perSecond rate: Int) {
        self.rate = rate
        credit = min(credit, UInt64(rate) * 1_000_000)
    }
}
