internal import Control
internal import Kernel
internal import MCP
internal import NIOCore
internal import NIOPosix

/// Who waits for lines that have not been written yet.
struct LogWaiter {
    let client: Client
    let request: ControlRequest
    /// The number of the first line wanted.
    let from: Int
    /// The most lines of an answer.
    let count: Int
    /// Ends the wait with nothing.
    let timer: Scheduled<Void>
}

extension Broker {
    /// `corral/connections/logs`: the last lines, or those after a number as soon as there are any.
    func logs(_ client: Client, _ request: ControlRequest) {
        guard let params = params(of: ConnectionsLogs.self, client, request),
            let connection = connection(params.name, client, request)
        else { return }
        guard let from = params.after else {
            let lines = connection.log.tail(params.lines)
            return answer(
                client, request,
                ConnectionsLogs.Result(lines: lines, next: connection.log.next).json)
        }
        guard from >= connection.log.next, !isDraining else {
            return tellLog(of: connection, from, params.lines, client, request)
        }
        let timer = schedule(after: Limit.logPatience) { broker in
            broker.endLogWaits(of: connection) {
                $0.client === client && $0.request.id == request.id
            }
        }
        connection.logWaiters.append(
            LogWaiter(
                client: client, request: request, from: from, count: params.lines, timer: timer))
    }

    private func tellLog(
        of connection: ManagedConnection, _ from: Int, _ count: Int, _ client: Client,
        _ request: ControlRequest
    ) {
        let (lines, missed) = connection.log.lines(from: from, atMost: count)
        let next = min(from + missed + lines.count, connection.log.next)
        answer(
            client, request,
            ConnectionsLogs.Result(lines: lines, next: next, missed: missed).json)
    }

    /// The log has grown: those who waited for that have their answer.
    func tellNewLines(of connection: ManagedConnection) {
        guard !connection.logWaiters.isEmpty else { return }
        endLogWaits(of: connection) { $0.from < connection.log.next }
    }

    /// Answers those who wait for a connection's log with what there is.
    func endLogWaits(
        of connection: ManagedConnection, _ which: (LogWaiter) -> Bool = { _ in true }
    ) {
        for waiter in connection.takeLogWaiters(which) {
            waiter.timer.cancel()
            tellLog(of: connection, waiter.from, waiter.count, waiter.client, waiter.request)
        }
    }

    /// Ends the waits of requests that get no answer: cancelled ones, and those of a client that
    /// has gone.
    func dropLogWaits(of connection: ManagedConnection, _ which: (LogWaiter) -> Bool) {
        for waiter in connection.takeLogWaiters(which) {
            waiter.timer.cancel()
            waiter.client.face.finished(waiter.request.id)
        }
    }

    /// The connection is gone, and its log with it.
    func failLogWaits(of connection: ManagedConnection) {
        let failure = Failure(
            .unknownConnection,
            "cannot show the log of '\(connection.name)': the connection was removed")
        for waiter in connection.takeLogWaiters({ _ in true }) {
            waiter.timer.cancel()
            fail(waiter.client, waiter.request.id, failure)
        }
    }

    /// Keeps what comes out of a descriptor in a connection's log, under its last start.
    func openLog(
        _ descriptor: CInt, of connection: ManagedConnection, onEnd: @escaping () -> Void
    ) {
        var lines = LogLines()
        let start = connection.log.start
        let take: (String) -> Void = { connection.log.append($0, of: start) }
        let tell: () -> Void = { [weak self] in
            self?.tellNewLines(of: connection)
            self?.flushPeers()
        }
        let handler = ServerLog(
            onChunk: {
                lines.append($0, take)
                tell()
            },
            onEnd: {
                lines.finish(take)
                tell()
                onEnd()
            })
        let bound = NIOLoopBound(handler, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .whenFailure { _ in _ = Descriptor(owning: descriptor) }
    }
}
