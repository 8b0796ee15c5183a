internal import NIOCore
internal import NIOPosix
internal import Store

/// The store on a thread of its own: one write after the other, none on the event loop.
final class StoreWorker: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let store: NIOLoopBound<Store>

    /// Opens the store's file on a new thread; waits until it is open.
    init(path: String) throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do {
            store = try loop.submit { NIOLoopBound(try Store(path: path), eventLoop: loop) }.wait()
        } catch {
            try group.syncShutdownGracefully()
            throw error
        }
        self.group = group
    }

    /// Does something with the store, after all that was asked before.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws -> Result
    ) -> EventLoopFuture<Result> {
        store.eventLoop.submit { [store] in try body(store.value) }
    }

    /// Ends the thread when everything that was asked is done.
    func close() throws {
        try run { _ in }.wait()
        try group.syncShutdownGracefully()
    }
}
