/// Every reason for which Corral itself refuses or fails a request, as a stable `error.code`.
///
/// The codes of JSON-RPC and MCP are negative and keep their meaning.
public enum ErrorCode: Int, Sendable, Equatable, CaseIterable {
    /// A rule of access.yaml or of the policy refuses it.
    case notAllowed = 1001
    /// The caller has no connection of that name.
    case unknownConnection = 1002
    /// The caller has a connection of that name already.
    case connectionExists = 1003
    /// There is no run card of that name, or not for this caller.
    case unknownCard = 1004
    /// A setting is missing, unknown or has a value its card does not take.
    case badSetting = 1005
    /// A credential that the card requires was not given.
    case missingCredential = 1006
    /// A limit on connections, sandboxes or calls is reached.
    case limitReached = 1007
    /// The server of the connection does not run.
    case notRunning = 1008
    /// The packages of the run card could not be installed.
    case installFailed = 1010
    /// The server could not be started, or ended before it answered.
    case startFailed = 1011
    /// The server ended while the call was in flight.
    case toolExited = 1012
    /// No answer came before the deadline.
    case timeout = 1013
    /// The sandbox used up its memory.
    case memoryExceeded = 1014
    /// The sandbox used up its processes.
    case pidsExceeded = 1015
    /// The sandbox used up its processor time.
    case cpuExceeded = 1016
    /// The sandbox refused a network connection.
    case networkDenied = 1017
    /// The server answered with something that is not the protocol.
    case invalidOutput = 1018
    /// The answer is larger than the policy allows.
    case outputTooLarge = 1019
    /// The caller cancelled the request.
    case cancelled = 1020
    /// The broker has no supervisor to start sandboxes with.
    case supervisorUnavailable = 1021
    /// The daemon is stopping.
    case shuttingDown = 1022
    /// Too many requests are in flight or waiting.
    case busy = 1023
    /// The store could not be read or written.
    case storeFailed = 1024
    /// The server wrote a file beyond its limit and was ended for it.
    case fileSizeExceeded = 1025
    /// The sandbox had lived as long as its policy allows.
    case lifeExceeded = 1026
    /// The gateway is gone: sandboxes have no network until it is back.
    case networkUnavailable = 1027
    /// The caller has no decision of that id.
    case unknownDecision = 1028
}
