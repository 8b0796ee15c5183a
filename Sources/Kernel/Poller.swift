import CKernel

/// Waits for many descriptors at once (epoll(7)), level-triggered.
public struct Poller: ~Copyable {
    /// One descriptor that became ready.
    public struct Ready: Sendable, Equatable {
        /// What the caller registered it under.
        public let token: UInt64
        /// Whether it can be read, or has ended.
        public let readable: Bool
        /// Whether the other side hung up or the descriptor failed.
        public let ended: Bool
    }

    /// How many are reported at a time.
    private static let batch = 32
    private let epoll: Descriptor

    /// Makes an empty set.
    public init() throws(KernelError) {
        epoll = Descriptor(owning: try check("epoll_create1") { corral_epoll_create() })
    }

    /// Watches a descriptor for input and end until it is removed.
    public borrowing func add(_ descriptor: CInt, token: UInt64) throws(KernelError) {
        let epoll = epoll.raw
        _ = try check("epoll_ctl") {
            corral_epoll_add(epoll, descriptor, CORRAL_EPOLLIN, token)
        }
    }

    /// Stops watching a descriptor; to be called before it is closed.
    public borrowing func remove(_ descriptor: CInt) throws(KernelError) {
        let epoll = epoll.raw
        _ = try check("epoll_ctl") { corral_epoll_remove(epoll, descriptor) }
    }

    /// Waits until something is ready or the timeout is over; nil waits without end.
    public borrowing func wait(milliseconds: Int?) throws(KernelError) -> [Ready] {
        let epoll = epoll.raw
        var tokens = [UInt64](repeating: 0, count: Self.batch)
        var events = [UInt32](repeating: 0, count: Self.batch)
        let timeout = milliseconds.map { CInt(clamping: $0) } ?? -1
        let count = try check("epoll_wait") {
            unsafe corral_epoll_wait(epoll, &tokens, &events, CInt(Self.batch), timeout)
        }
        return (0..<Int(count)).map { index in
            Ready(
                token: tokens[index],
                readable: events[index] & CORRAL_EPOLLIN != 0,
                ended: events[index] & (CORRAL_EPOLLHUP | CORRAL_EPOLLERR) != 0)
        }
    }
}

extension Poller {
    /// What became ready, in room that is used again and again.
    public struct Batch: Sendable {
        fileprivate var tokens: [UInt64]
        fileprivate var events: [UInt32]
        /// How many there are.
        public fileprivate(set) var count = 0

        /// Room for so many at a time; the kernel keeps the rest for the next time.
        public init(capacity: Int) {
            tokens = [UInt64](repeating: 0, count: capacity)
            events = [UInt32](repeating: 0, count: capacity)
        }

        /// The token of one of them.
        public func token(_ index: Int) -> UInt64 { tokens[index] }

        /// What one of them is ready for.
        public func events(_ index: Int) -> Events { Events(rawValue: events[index]) }
    }

    /// What a descriptor is ready for (epoll_ctl(2)).
    public struct Events: OptionSet, Sendable {
        /// The kernel's bits.
        public let rawValue: UInt32

        /// Takes the kernel's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Bytes or connections wait, or the end.
        public static let readable = Events(rawValue: CORRAL_EPOLLIN)
        /// There is room again.
        public static let writable = Events(rawValue: CORRAL_EPOLLOUT)
        /// The other side sends no more.
        public static let readEnded = Events(rawValue: CORRAL_EPOLLRDHUP)
        /// Both directions are over.
        public static let hungUp = Events(rawValue: CORRAL_EPOLLHUP)
        /// An error waits (SO_ERROR).
        public static let failed = Events(rawValue: CORRAL_EPOLLERR)
    }

    /// Watches a descriptor for everything, edge-triggered: each change is told once, so whoever
    /// is told goes on until the kernel says EAGAIN.
    public borrowing func addEdges(_ descriptor: CInt, token: UInt64) throws(KernelError) {
        let epoll = epoll.raw
        _ = try check("epoll_ctl") {
            corral_epoll_add(
                epoll, descriptor,
                CORRAL_EPOLLIN | CORRAL_EPOLLOUT | CORRAL_EPOLLRDHUP | CORRAL_EPOLLET, token)
        }
    }

    /// Waits until something is ready or the timeout is over; nil waits without end.
    public borrowing func wait(into batch: inout Batch, milliseconds: Int?) throws(KernelError) {
        let epoll = epoll.raw
        let timeout = milliseconds.map { CInt(clamping: $0) } ?? -1
        let capacity = CInt(batch.tokens.count)
        batch.count = 0
        let count = try check("epoll_wait") {
            unsafe corral_epoll_wait(epoll, &batch.tokens, &batch.events, capacity, timeout)
        }
        batch.count = Int(count)
    }
}

/// Signals that are read instead of interrupting (signalfd(2)).
public struct Signals: ~Copyable {
    private let source: Descriptor

    /// Blocks the signals for this process and makes them readable here.
    public init(_ numbers: [CInt]) throws(KernelError) {
        source = Descriptor(
            owning: try check("signalfd") { unsafe corral_signalfd(numbers, CInt(numbers.count)) })
    }

    /// The descriptor to poll.
    public var raw: CInt { source.raw }

    /// The next pending signal; nil when none is left.
    public borrowing func next() throws(KernelError) -> CInt? {
        let raw = source.raw
        let signal = try check("read", "signalfd") { corral_signalfd_read(raw) }
        return signal == 0 ? nil : signal
    }
}
