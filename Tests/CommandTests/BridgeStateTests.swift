import Testing

@testable import corral

@Suite struct BridgeStateTests {
    private let start = ContinuousClock.now

    @Test func `bytes go out in the order they came`() {
        var state = BridgeState(fromHost: [1, 2])
        state.received(fromHost: [3, 4, 5], at: start)
        #expect(Array(state.toServer.waiting) == [1, 2, 3, 4, 5])
        state.sent(toServer: 4)
        #expect(Array(state.toServer.waiting) == [5])
        state.received(fromHost: [6], at: start)
        state.sent(toServer: 2)
        #expect(state.toServer.isEmpty)
    }

    @Test func `a side is not listened to while the other is behind`() {
        var state = BridgeState()
        #expect(state.readsHost && state.readsServer)
        state.received(fromHost: Array(repeating: 0, count: Limit.bridgeBytes), at: start)
        #expect(!state.readsHost && state.readsServer)
        state.received(fromServer: Array(repeating: 0, count: Limit.bridgeBytes))
        #expect(!state.readsServer)
        state.sent(toServer: 1)
        state.sent(toHost: 1)
        #expect(state.readsHost && state.readsServer)
    }

    @Test func `a daemon that hung up is not watched while the host is slow`() {
        var state = BridgeState(fromHost: [1])
        #expect(state.watchesServer && state.writesServer)
        state.received(fromServer: [1])
        state.received(fromServer: [])
        #expect(!state.watchesServer)
        #expect(state.ending(at: start) == nil, "the host has not taken all of it")
        state = BridgeState(fromServer: Array(repeating: 0, count: Limit.bridgeBytes))
        #expect(!state.watchesServer)
    }

    @Test func `the host's end is passed on once, after its last byte`() {
        var state = BridgeState(fromHost: [1])
        state.received(fromHost: [], at: start)
        #expect(!state.halfCloses && !state.readsHost)
        state.sent(toServer: 1)
        #expect(state.halfCloses)
        state.didHalfClose()
        #expect(!state.halfCloses)
        #expect(state.ending(at: start) == nil, "answers may still come")
        #expect(state.readsServer)
    }

    @Test func `draining ends when the daemon closes and all has gone to the host`() {
        var state = BridgeState()
        state.received(fromHost: [], at: start)
        state.received(fromServer: [1])
        state.received(fromServer: [])
        #expect(state.ending(at: start) == nil)
        state.sent(toHost: 1)
        #expect(state.ending(at: start) == .hostEnded)
    }

    @Test func `draining ends before hosts begin to kill`() {
        var state = BridgeState()
        #expect(state.patience(at: start) == nil)
        state.received(fromHost: [], at: start)
        state.received(fromHost: [], at: start.advanced(by: .seconds(1)))
        #expect(state.patience(at: start.advanced(by: .seconds(1))) == .milliseconds(500))
        #expect(state.ending(at: start.advanced(by: .milliseconds(1_499))) == nil)
        #expect(state.ending(at: start.advanced(by: Limit.drain)) == .hostEnded)
        #expect(Limit.drain < .seconds(2))
    }

    @Test func `a daemon that leaves first is told apart from a host that leaves`() {
        var state = BridgeState()
        state.lostServer()
        #expect(state.ending(at: start) == .serverEnded)
        state.lostHost()
        #expect(state.ending(at: start) == .hostEnded)
    }
}
