import Kernel

/// Two connected stream sockets, made through a listener whose file is gone at once.
struct SocketPair: ~Copyable {
    let client: Descriptor
    let server: Descriptor

    init() throws {
        let folder = "/tmp/corral-command-\(UInt64.random(in: 0...UInt64.max))"
        try Files.makeDirectory(folder, mode: 0o700)
        let path = folder + "/socket"
        let listener = try Socket.listen(at: path, backlog: 1)
        let connected = try Socket.connect(to: path)
        let accepted = try Socket.accept(listener)
        try Files.remove(path)
        try Files.removeDirectory(folder)
        client = connected
        server = accepted
    }

    consuming func clientEnd() -> Descriptor { client }
}

/// What is there to be read now, up to a limit; nil when nothing is, empty at the end.
func readable(_ descriptor: borrowing Descriptor, limit: Int = 1 << 20) throws -> String? {
    let ready = try poll([Interest(descriptor.raw, readable: true)], milliseconds: 0)
    guard ready[0].readable || ready[0].ended else { return nil }
    return try descriptor.read(limit: limit).map { String(decoding: $0, as: UTF8.self) }
}
