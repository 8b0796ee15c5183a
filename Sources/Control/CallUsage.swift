public import JSONRPC

/// What one call used: in the `_meta` of its result, in the data of its error, and in the ledger.
public struct CallUsage: Sendable, Equatable {
    /// The name under which it is told.
    public static let key = "dev.corral/usage"

    /// Since when the memory peak is one.
    public enum PeakSince: String, Sendable, Equatable, CaseIterable {
        /// Since the call began.
        case call
        /// Since the first of the calls began that it overlapped with.
        case overlap
        /// Since the server was started: the kernel cannot set its peak back.
        case start
    }

    /// From the call's going to the server to its end.
    public var wallMicroseconds: Int
    /// CPU time of the whole sandbox meanwhile; nil where it is not counted.
    public var cpuMicroseconds: Int?
    /// The most memory that the whole sandbox held at once; nil where it is not counted.
    public var memoryPeakBytes: Int?
    /// Since when; nil without a peak.
    public var memoryPeakSince: PeakSince?
    /// Bytes of the call as the server got it.
    public var bytesIn: Int
    /// Bytes that the server answered with, its reports of progress included.
    public var bytesOut: Int
    /// Whether other work of the same server ran meanwhile, which these figures then hold as well.
    public var shared: Bool

    /// States what a call used.
    public init(
        wallMicroseconds: Int, cpuMicroseconds: Int? = nil, memoryPeakBytes: Int? = nil,
        memoryPeakSince: PeakSince? = nil, bytesIn: Int, bytesOut: Int, shared: Bool
    ) {
        self.wallMicroseconds = wallMicroseconds
        self.cpuMicroseconds = cpuMicroseconds
        self.memoryPeakBytes = memoryPeakBytes
        self.memoryPeakSince = memoryPeakSince
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.shared = shared
    }
}

extension CallUsage {
    /// Reads what a call used; nil for anything else, because an error must reach its reader.
    public init?(json: JSON) {
        guard let wall = json["wallMicroseconds"]?.intValue, let input = json["bytesIn"]?.intValue,
            let output = json["bytesOut"]?.intValue, let shared = json["shared"]?.boolValue
        else { return nil }
        self.init(
            wallMicroseconds: wall, cpuMicroseconds: json["cpuMicroseconds"]?.intValue,
            memoryPeakBytes: json["memoryPeakBytes"]?.intValue,
            memoryPeakSince: json["memoryPeakSince"]?.stringValue.flatMap(PeakSince.init),
            bytesIn: input, bytesOut: output, shared: shared)
    }

    /// As it is sent; what is not counted is left out.
    public var json: JSON {
        var object: JSONObject = ["wallMicroseconds": .integer(wallMicroseconds)]
        object["cpuMicroseconds"] = cpuMicroseconds.map(JSON.integer)
        object["memoryPeakBytes"] = memoryPeakBytes.map(JSON.integer)
        object["memoryPeakSince"] = memoryPeakSince.map { .string($0.rawValue) }
        object["bytesIn"] = .integer(bytesIn)
        object["bytesOut"] = .integer(bytesOut)
        object["shared"] = .bool(shared)
        return .object(object)
    }

    /// The member that tells it, made in one piece because every call has one.
    public var member: String {
        var text = "\"\(Self.key)\":{\"wallMicroseconds\":\(wallMicroseconds)"
        if let cpuMicroseconds { text += ",\"cpuMicroseconds\":\(cpuMicroseconds)" }
        if let memoryPeakBytes { text += ",\"memoryPeakBytes\":\(memoryPeakBytes)" }
        if let memoryPeakSince { text += ",\"memoryPeakSince\":\"\(memoryPeakSince.rawValue)\"" }
        return text + ",\"bytesIn\":\(bytesIn),\"bytesOut\":\(bytesOut),\"shared\":\(shared)}"
    }
}
