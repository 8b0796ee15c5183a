import CKernel
import Glibc

/// A conversation with one part of the kernel's network (netlink(7)) in the namespace that the
/// calling thread is in when it begins.
struct Netlink: ~Copyable {
    private let socket: Descriptor

    /// Devices, addresses and routes (rtnetlink(7)).
    static let route: CInt = 0
    /// Sockets (sock_diag(7)).
    static let sockets: CInt = 4
    /// Rules and tracked connections.
    static let netfilter: CInt = 12

    /// The largest answer; a dump comes in several.
    private static let datagramBytes = 64 << 10
    /// No kernel takes longer; waiting for ever would stop everything else.
    private static let patienceMilliseconds = 10_000

    init(_ protocol: CInt) throws(KernelError) {
        let raw = try check("socket", "netlink") { corral_netlink(`protocol`) }
        let socket = Descriptor(owning: raw)
        try Socket.setReceiveTimeout(of: raw, milliseconds: Self.patienceMilliseconds)
        self.socket = socket
    }

    /// Sends messages in one datagram and waits until each that asks for it is answered; throws
    /// the first failure. `names` says what they are, in their order.
    func transact(_ batch: NetlinkWriter, _ names: [String]) throws(KernelError) {
        try Socket.send(batch.bytes, over: socket.raw)
        var failure: KernelError?
        var answered = 0
        while answered < batch.count {
            for message in NetlinkReader.messages(try receive()) where message.type == Self.error {
                if message.error != 0, failure == nil {
                    // The answer carries the header of what it answers, with its number.
                    let header = ArraySlice(message.fixed(20).dropFirst(12).prefix(4))
                    let number = Int(UInt32(host: header))
                    let name = names.indices.contains(number - 1) ? names[number - 1] : "batch"
                    failure = KernelError("netlink", name, errno: message.error)
                }
                answered += 1
            }
            // A batch that is refused as a whole is answered once.
            if failure != nil { break }
        }
        if let failure { throw failure }
    }

    /// Asks for a table and returns its entries.
    func dump(_ request: NetlinkWriter, of name: String) throws(KernelError) -> [NetlinkReader] {
        try Socket.send(request.bytes, over: socket.raw)
        var found: [NetlinkReader] = []
        while true {
            for message in NetlinkReader.messages(try receive()) {
                switch message.type {
                case Self.done: return found
                case Self.error: throw KernelError("netlink", name, errno: message.error)
                default: found.append(message)
                }
            }
        }
    }

    private func receive() throws(KernelError) -> [UInt8] {
        let datagram = try Socket.receive(
            limit: Self.datagramBytes, descriptors: 0, over: socket.raw)
        guard let datagram, !datagram.bytes.isEmpty else {
            throw KernelError("recvmsg", "netlink", errno: ETIMEDOUT)
        }
        guard !datagram.truncated else { throw KernelError("recvmsg", "netlink", errno: EMSGSIZE) }
        return datagram.bytes
    }

    /// NLMSG_ERROR and NLMSG_DONE.
    private static let error = 2
    private static let done = 3
}
