/// What the bridge knows and wants; it never looks into the bytes it carries.
///
/// The host's end of input is passed on as a half-close, so that answers to calls in flight can
/// still come; after `Limit.drain` it ends anyway, before hosts start to kill.
struct BridgeState {
    /// How a bridge ends.
    enum Ending: Equatable {
        /// The host closed its side; all went well.
        case hostEnded
        /// The daemon closed its side while the host was still there.
        case serverEnded
    }

    /// Bytes from the host.
    private(set) var toServer = ByteQueue()
    /// Bytes from the daemon.
    private(set) var toHost = ByteQueue()
    private var hostEnded = false
    private var hostGone = false
    private var serverEnded = false
    private var halfClosed = false
    private var drainEnd: ContinuousClock.Instant?

    /// Starts with bytes that were read already.
    init(fromHost: [UInt8] = [], fromServer: [UInt8] = []) {
        toServer.append(fromHost)
        toHost.append(fromServer)
    }

    /// Whether the host should be listened to: not while the daemon is slower than it.
    var readsHost: Bool { !hostEnded && toServer.count < Limit.bridgeBytes }
    /// Whether the daemon should be listened to: not while the host is slower than it.
    var readsServer: Bool { !serverEnded && toHost.count < Limit.bridgeBytes }
    /// Whether there is something to send to the daemon.
    var writesServer: Bool { !serverEnded && !toServer.isEmpty }
    /// Whether the daemon's socket should be watched at all: poll(2) would tell that it hung up
    /// again and again while a slow host has still to take what came before.
    var watchesServer: Bool { readsServer || writesServer }
    /// Whether the daemon is to be told now that nothing more will come.
    var halfCloses: Bool { hostEnded && toServer.isEmpty && !halfClosed && !serverEnded }

    /// Takes what the host sent; nothing means its end of input.
    mutating func received(fromHost bytes: [UInt8], at now: ContinuousClock.Instant) {
        toServer.append(bytes)
        guard bytes.isEmpty, !hostEnded else { return }
        hostEnded = true
        drainEnd = now.advanced(by: Limit.drain)
    }

    /// Takes what the daemon sent; nothing means that it closed.
    mutating func received(fromServer bytes: [UInt8]) {
        toHost.append(bytes)
        if bytes.isEmpty { serverEnded = true }
    }

    /// Notes what went out to the daemon.
    mutating func sent(toServer count: Int) {
        toServer.remove(count)
    }

    /// Notes what went out to the host.
    mutating func sent(toHost count: Int) {
        toHost.remove(count)
    }

    /// Notes that the daemon was told of the end.
    mutating func didHalfClose() {
        halfClosed = true
    }

    /// Notes that the host reads no more.
    mutating func lostHost() {
        hostGone = true
    }

    /// Notes that the daemon is gone.
    mutating func lostServer() {
        serverEnded = true
    }

    /// How it ends, once it does.
    func ending(at now: ContinuousClock.Instant) -> Ending? {
        if hostGone { return .hostEnded }
        if serverEnded && toHost.isEmpty { return hostEnded ? .hostEnded : .serverEnded }
        if let drainEnd, now >= drainEnd { return .hostEnded }
        return nil
    }

    /// How long nothing but the streams matters; nil means without end.
    func patience(at now: ContinuousClock.Instant) -> Duration? {
        drainEnd.map { max(.zero, now.duration(to: $0)) }
    }
}
