extension IPAddress {
    /// Every IPv4 address that an IPv6 address may stand for or be carried to: whoever dials it may
    /// end at one of them.
    public var embedded: [IPAddress] {
        guard family == .v6 else { return [] }
        var found: [UInt32] = []
        let last = UInt32(truncatingIfNeeded: low)
        if high == 0 {
            // Compatible (::/96), mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96).
            if [0, 0xffff, 0xffff_0000].contains(low >> 32) { found.append(last) }
        }
        if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 { found.append(last) }  // RFC 6052
        if high >> 16 == 0x0064_ff9b_0001 { found += translated }  // RFC 8215
        if high >> 48 == 0x2002 { found.append(UInt32(truncatingIfNeeded: high >> 16)) }  // 6to4
        if high >> 32 == 0x2001_0000 {
            // Teredo: the server, and the client with every bit turned over.
            found += [UInt32(truncatingIfNeeded: high), ~last]
        }
        // ISATAP (RFC 5214) under any prefix: the universal and the group bit may be either.
        if low >> 32 & 0xfcff_ffff == 0x5efe { found.append(last) }
        return found.map { IPAddress(v4: $0) }
    }

    /// What 64:ff9b:1::/48 may carry: a network chooses a prefix of 48, 56, 64 or 96 bits in it,
    /// and the address follows, around the 8 bits after the first 64 (RFC 6052 section 2.2).
    private var translated: [UInt32] {
        [
            UInt32(truncatingIfNeeded: high & 0xffff) << 16
                | UInt32(truncatingIfNeeded: low >> 40 & 0xffff),
            UInt32(truncatingIfNeeded: high & 0xff) << 24
                | UInt32(truncatingIfNeeded: low >> 32 & 0xff_ffff),
            UInt32(truncatingIfNeeded: low >> 24), UInt32(truncatingIfNeeded: low),
        ]
    }
}
