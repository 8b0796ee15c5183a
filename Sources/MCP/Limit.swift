/// What both faces refuse, and why that much.
public enum Limit {
    /// The most tools a server may list: ten times the largest seen in practice.
    public static let tools = 1_000
    /// The most pages its list may come in.
    public static let toolPages = 50
    /// The most bytes of one listing: the largest seen in practice × 64.
    public static let toolBytes = 4 << 20
    /// The most prompts, resources or resource templates a server may list.
    public static let resources = 10_000
    /// The longest URI of a resource as a server writes it: what web servers take.
    public static let ownURIBytes = 8 << 10
    /// The longest URI of a resource as clients write it: the broker's part is the rest.
    public static let uriBytes = ownURIBytes + 64
    /// The most resources that one client may hear of at a time.
    public static let subscriptions = 256
    /// How much a server may ask for at a time before it answers a call.
    public static let asks = 16
    /// The longest name of a tool, the specification's own.
    public static let toolNameBytes = 128
    /// The longest name clients see, `connection__tool`: what every language model's API takes.
    public static let exposedNameBytes = 64
    /// The most entries of one page of a list that clients get.
    public static let pageEntries = 500
    /// Lines of a server's output that are no messages, before it is stopped.
    public static let noiseLines = 1_000
    /// Bytes of such lines, before it is stopped.
    public static let noiseBytes = 1 << 20
    /// How many requests one client may have in flight.
    public static let callsPerClient = 256
}
