internal import Configuration
internal import Control
internal import JSONRPC
internal import Logging
internal import MCP
internal import NIOCore
internal import Policy
internal import RunCards
internal import Store

/// A call that has ended, as it waits to be recorded: the row is made on the store's thread.
struct FinishedCall: Sendable {
    /// Its identity, when something refers to it.
    let id: UUID?
    let connection: UUID
    let tool: String
    let usage: CallUsage
    /// The reason it failed for; nil when it did not.
    let error: String?
    let at: Timestamp

    var row: UsageRow {
        var details: String?
        if let error { details = (["reason": .string(error)] as JSON).text }
        return UsageRow(
            id: id ?? UUID(), connection: connection, tool: tool,
            duration: .microseconds(usage.wallMicroseconds),
            success: error == nil, error: details, executedAt: at,
            figures: UsageRow.Figures(
                cpuMicroseconds: usage.cpuMicroseconds, memoryPeakBytes: usage.memoryPeakBytes,
                memoryPeakSince: usage.memoryPeakSince?.rawValue, bytesIn: usage.bytesIn,
                bytesOut: usage.bytesOut, isShared: usage.shared))
    }
}

extension Broker {
    /// Notes a call's end for the ledger.
    func record(
        _ call: Server.Call, _ usage: CallUsage, at server: Server, error: String?
    ) {
        let connection = server.connection
        let at = Timestamp.now()
        connection.usageCount += 1
        connection.lastUsed = at
        guard finished.count < Limit.usageRows else {
            log.error("usage rows dropped", metadata: ["connection": "\(connection.id)"])
            return
        }
        finished.append(
            FinishedCall(
                id: call.identity, connection: connection.id, tool: call.tool, usage: usage,
                error: error, at: at))
        guard !isRecording else { return }
        isRecording = true
        _ = schedule(after: Limit.usageDelay) { $0.recordFinished() }
    }

    /// Writes all finished calls in one transaction; those that end meanwhile go with the next.
    private func recordFinished() {
        guard !isClosed else { return }
        let calls = finished
        finished = []
        let bound = NIOLoopBound(self, eventLoop: loop)
        store.run { try $0.recordUsage(calls.map(\.row)) }
            .hop(to: loop)
            .whenComplete { result in
                let broker = bound.value
                if case .failure(let error) = result {
                    broker.log.error(
                        "usage not recorded",
                        metadata: ["calls": "\(calls.count)", "cause": "\(error)"])
                }
                if broker.finished.isEmpty || broker.isClosed {
                    broker.isRecording = false
                } else {
                    _ = broker.schedule(after: Limit.usageDelay) { $0.recordFinished() }
                }
            }
    }

    /// Writes what is left, at the end; returns when it is written.
    func recordRest() -> EventLoopFuture<Void> {
        isClosed = true
        let calls = finished
        finished = []
        let changes = network.changes
        network.changes = []
        return store.run { store in
            try store.recordUsage(calls.map(\.row))
            try store.recordNetwork(changes)
        }
    }

    /// Keeps a fresh list of tools.
    func keepTools(of connection: ManagedConnection) {
        guard !isClosed else { return }
        let tools = connection.toolsText
        let features = connection.featuresText
        let id = connection.id
        let era = eras[connection.eraKey]?.text
        let log = log
        store.run { try $0.setTools(tools, features: features, era: era, of: id) }
            .whenFailure { error in
                log.error(
                    "tools not stored", metadata: ["connection": "\(id)", "cause": "\(error)"])
            }
    }

    /// Takes up the connections that were registered before.
    func load(_ stored: [StoredConnection]) {
        for item in stored {
            let row = item.row
            guard let uid = UInt32(row.user), let card = policies.cards[row.card],
                let policy = policies.narrowed[row.card]
            else {
                // Its card is gone; it is left in the store for the day the card comes back.
                log.warning(
                    "connection without card",
                    metadata: ["connection": "\(row.id)", "card": "\(row.card)"])
                continue
            }
            let connection = ManagedConnection(
                id: row.id, caller: Caller(uid: uid, user: row.user, groups: []), name: row.name,
                card: card, policy: policy, settings: row.settingValues,
                credentials: item.credentials.mapValues { String(decoding: $0, as: UTF8.self) },
                createdAt: row.createdAt)
            connection.lastUsed = row.lastUsed
            connection.usageCount = row.usageCount
            connection.take(row.offer)
            if let era = row.era.flatMap(EraVerdict.init(text:)) { eras[connection.eraKey] = era }
            table(uid).add(connection)
        }
    }
}

/// A connection as the store had it.
struct StoredConnection: Sendable {
    let row: ConnectionRow
    let credentials: [String: [UInt8]]

    /// Reads all of them.
    static func all(_ store: Store) throws -> [StoredConnection] {
        try store.connections().map { row in
            StoredConnection(
                row: row,
                credentials: try row.credentialReference.map { try store.credentials($0) } ?? [:])
        }
    }
}

extension ManagedConnection {
    /// The row that keeps it.
    func row(era: EraVerdict?) -> ConnectionRow {
        var object: JSONObject = [:]
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { object[name] = value.json }
        return ConnectionRow(
            id: id, user: String(caller.uid), name: name, card: card.name,
            settings: JSON.object(object).text,
            credentialReference: credentials.isEmpty ? nil : UUID(), tools: toolsText,
            features: featuresText, era: era?.text, createdAt: createdAt)
    }

    /// Its tools as its server defined them.
    var toolsText: String { JSON.array(lists[.tools] ?? []).text }

    /// What its server offers beside them; nil when it was never asked.
    var featuresText: String? {
        var features: JSON = [:]
        for kind in ListKind.allCases where kind != .tools {
            guard let items = lists[kind] else { return nil }
            features[kind.rawValue] = .array(items)
        }
        features["completes"] = .bool(completes ?? false)
        features["subscribes"] = .bool(subscribes ?? false)
        return features.text
    }
}

extension ConnectionRow {
    /// What `row(era:)` wrote; a value that is none is a defect and left out.
    fileprivate var settingValues: [String: SettingValue] {
        var values: [String: SettingValue] = [:]
        for member in Self.tree(settings)?.objectValue?.members ?? [] {
            values[member.name] = SettingValue(json: member.value)
        }
        return values
    }

    fileprivate var offer: Offer {
        var offer = Offer()
        offer.lists[.tools] = Self.tree(tools)?.arrayValue ?? []
        guard let features = features.flatMap(Self.tree) else { return offer }
        for kind in ListKind.allCases where kind != .tools {
            offer.lists[kind] = features[kind.rawValue]?.arrayValue
        }
        offer.completes = features["completes"]?.boolValue
        offer.subscribes = features["subscribes"]?.boolValue
        return offer
    }

    private static func tree(_ text: String) -> JSON? {
        do throws(JSONError) { return try JSON.parse(Array(text.utf8)) } catch { return nil }
    }
}

extension EraVerdict {
    /// The word that the store keeps.
    var text: String { self == .modern ? "modern" : "legacy" }

    /// Reads that word.
    init?(text: String) {
        switch text {
        case "modern": self = .modern
        case "legacy": self = .legacy
        default: return nil
        }
    }
}

extension Failure {
    /// The store could not do what was needed.
    static func store(_ error: any Error, connection: String) -> Failure {
        if let error = error as? StoreError, error.code == .connectionExists {
            return Failure(
                .connectionExists,
                "cannot register '\(connection)': you have a connection of that name")
        }
        return Failure(.storeFailed, "cannot keep '\(connection)': \(error)")
    }
}
