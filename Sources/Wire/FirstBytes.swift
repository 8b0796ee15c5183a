/// What the first bytes of a client's say of the host that it means to speak with.
public enum FirstBytes: Sendable, Equatable {
    /// More is needed. `isNaming` tells that it is certainly a protocol that names its host, so
    /// that nothing may be passed on before the name is known.
    case needMore(isNaming: Bool)
    /// They name no host, as most protocols do not.
    case unnamed
    /// They name these hosts, as they are written: TLS SNI, HTTP Host or the request's own target.
    case names([String])
    /// They are of a protocol that names its host, but a server might read them otherwise.
    case unreadable

    /// Looks at all that came so far; `needMore` never for more than `Limit.firstBytes`.
    public static func read(_ bytes: [UInt8]) -> FirstBytes {
        let found = bytes.first == 0x16 ? ClientHello.read(bytes) : RequestHead.read(bytes)
        guard case .needMore(let isNaming) = found, bytes.count >= Limit.firstBytes else {
            return found
        }
        return isNaming ? .unreadable : .unnamed
    }
}
