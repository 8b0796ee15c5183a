/// The URIs of resources as clients see them: `corral://CONNECTION/` before the server's own.
///
/// Nothing of the server's URI changes, so a template stays one (RFC 6570 only puts text into it),
/// and what a client makes of it leads back by cutting the same part off. No two connections' URIs
/// can be the same: a connection's name has no slash.
public enum ResourceURI {
    /// The part before the connection's name.
    public static let scheme = "corral://"

    /// A server's URI, or URI template, as clients see it.
    public static func exposed(connection: String, own: String) -> String {
        scheme + connection + "/" + own
    }

    /// The connection and the server's own URI; nil for a URI that was not made here.
    public static func split(_ uri: String) -> (connection: String, own: String)? {
        guard uri.utf8.count <= Limit.uriBytes, uri.utf8.starts(with: scheme.utf8) else {
            return nil
        }
        let rest = uri.utf8.dropFirst(scheme.utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), slash > rest.startIndex,
            rest.index(after: slash) < rest.endIndex
        else { return nil }
        return (String(uri[rest.startIndex..<slash]), String(uri[rest.index(after: slash)...]))
    }
}
