import NetworkRules
public import YAML

extension Policy.Network {
    static var schema: Schema<Policy.Network> {
        Schema(
            start: .init(),
            [denyKey, allowKey(standard: "[]", "empty means no network at all.")] + limitKeys)
    }

    /// The keys of `install.network`.
    static var installSchema: Schema<Policy.Network> {
        let registries = "[pypi.org:443, files.pythonhosted.org:443]"
        return Schema(
            start: .init(),
            [
                denyKey,
                allowKey(standard: registries, "the registries and nothing else."),
            ])
    }

    private static var denyKey: Key<Policy.Network> {
        Key(
            "deny", .list(of: .choice),
            .standard("[localhost, private, link_local, metadata, multicast, reserved]"), \.deny,
            "Sets of addresses that are refused whatever `allow` says.")
    }

    private static func allowKey(standard: String, _ remark: String) -> Key<Policy.Network> {
        Key(
            "allow", .list(of: .grant, limit: 256), .standard(standard), \.allow,
            "Destinations that are granted; \(remark)")
    }

    private static var limitKeys: [Key<Policy.Network>] {
        [
            Key(
                "loopback", .choice, .standard("none"), \.loopback,
                "`own`: the sandbox's processes may talk to each other on 127.0.0.1 and ::1."),
            Key(
                "connections", .integer(1...65_536), .standard("64"), \.connections,
                "Connections that a sandbox may have open at once."),
            Key(
                "connections_per_second", .integer(1...100_000), .standard("50"),
                \.connectionsPerSecond, "New connections that a sandbox may make in a second."),
            Key(
                optional: "bytes_per_call", .size(1 << 10...1 << 50), \.bytesPerCall,
                "Bytes in both directions while a call runs."),
            Key(
                optional: "bytes_per_day", .size(1 << 10...1 << 50), \.bytesPerDay,
                "Bytes in both directions in a day (UTC), over all sandboxes of one connection."),
            Key(
                "idle_timeout", .duration(.seconds(1)...Duration.seconds(30 * 86_400)),
                .standard("5m"), \.idleTimeout,
                "A connection that passes no byte for so long is closed."),
            Key(
                optional: "life", .duration(.seconds(1)...Duration.seconds(365 * 86_400)), \.life,
                "A connection that has lasted so long is closed."),
        ]
    }
}

extension Kind where Value == Policy.Network.Grant {
    /// An entry of `network.allow`, in policies and run cards.
    public static var grant: Kind {
        let to = Kind<Destination>.destination
        let schema = Schema<Draft>(
            start: Draft(),
            [
                Key(
                    "to", to.map(Optional.some), .required, \.to,
                    "The destination, as an entry without keys is written."),
                Key(
                    "private", .boolean, .standard("false"), \.private,
                    "Whether it may be a private address; for one name or one address only."),
            ])
        let long = Kind<Draft>.record(schema).converted { draft, node, reader in
            draft.grant(node, &reader)
        }
        return .scalar(
            to.converted { to, node, _ in .init(destination: to, place: node.place) },
            orMapping: long.named("`{to, private}`"))
    }
}

extension Kind where Value == Destination {
    fileprivate static var destination: Kind {
        Kind(scalar: "`host:ports`, `*.host:ports`, `address:ports`, `cidr:ports`") {
            text throws(Wrong) in
            do throws(MalformedDestination) {
                return try Destination(text)
            } catch {
                throw Wrong(error.message)
            }
        }
    }
}

/// The two keys of an entry while they are read.
private struct Draft: Sendable {
    var to: Destination?
    var `private` = false

    func grant(_ node: Node, _ reader: inout Reader) -> Policy.Network.Grant? {
        // The key is required, so it is here when the mapping was read without a mistake.
        guard let to else { return nil }
        guard !`private` || to.host.isSingle else {
            reader.report(
                node["private"]?.place ?? node.place,
                "'private' needs one name or one address, and '\(to.host)' is more "
                    + "(add an entry for each that is needed)")
            return nil
        }
        return Policy.Network.Grant(
            destination: to, allowsPrivate: `private`, place: node["to"]?.place ?? node.place)
    }
}
