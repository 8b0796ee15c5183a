import Glibc
import Testing

@testable import Kernel

/// A network namespace of a sandbox's with a gateway that says what was dialled, and programs.
private final class Inside {
    let network: SandboxNetwork
    private let gateway: Child?

    init(_ kind: SandboxNetwork.Kind, gateway isThere: Bool = true) throws {
        network = try SandboxNetwork(kind)
        guard isThere, let raw = network.listeners?.raw else {
            gateway = nil
            return
        }
        gateway = try Child.spawn(
            "/usr/bin/python3", arguments: ["-c", Self.standIn],
            environment: [], descriptors: raw)
    }

    deinit { try? gateway?.end() }

    /// Answers every connection with what SO_ORIGINAL_DST tells, and every datagram with itself.
    private static let standIn = """
        import select, socket, struct
        tcp4, tcp6, udp4, udp6 = (socket.socket(fileno=number) for number in (3, 4, 5, 6))
        waiting = select.poll()
        for one in (tcp4, tcp6, udp4, udp6):
            waiting.register(one, select.POLLIN)
        while True:
            for number, _ in waiting.poll():
                if number in (5, 6):
                    one = udp4 if number == 5 else udp6
                    data, sender = one.recvfrom(512)
                    one.sendto(b"answer " + data, sender)
                elif number == 3:
                    connection, _ = tcp4.accept()
                    place = connection.getsockopt(socket.SOL_IP, 80, 16)
                    text = socket.inet_ntop(socket.AF_INET, place[4:8])
                    connection.sendall(f"{text} {int.from_bytes(place[2:4])}".encode())
                    connection.close()
                else:
                    connection, _ = tcp6.accept()
                    place = connection.getsockopt(41, 80, 28)
                    text = socket.inet_ntop(socket.AF_INET6, place[8:24])
                    connection.sendall(f"{text} {int.from_bytes(place[2:4])}".encode())
                    connection.close()
        """

    /// What a Python program prints, as nobody, in the namespace.
    func run(_ program: String) throws -> String {
        let raw = try #require(network.rawNamespace)
        let place = "--net=/proc/\(getpid())/fd/\(raw)"
        let pipe = try Pipe()
        let child = try Child.spawn(
            "/bin/sh",
            arguments: [
                "-c", "exec \"$@\" >&3 2>&1", "sh", "/usr/bin/nsenter", place, "/usr/bin/setpriv",
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all",
                "/usr/bin/python3", "-c", Self.prelude + program,
            ], environment: ["PATH=/usr/bin:/bin:/usr/sbin"], descriptors: [pipe.write.raw])
        let output = try pipe.split { read, write in
            _ = consume write
            return String(decoding: try read.readAll(limit: 1 << 20), as: UTF8.self)
        }
        while try child.reap() == nil {
            let poller = try Poller()
            try poller.add(child.pidfd.raw, token: 0)
            _ = try poller.wait(milliseconds: nil)
        }
        return output
    }

    private static let prelude = """
        import errno, socket
        T, U = socket.SOCK_STREAM, socket.SOCK_DGRAM
        def family(address): return socket.AF_INET6 if ":" in address else socket.AF_INET
        def made(address, kind):
            one = socket.socket(family(address), kind)
            one.settimeout(5)
            return one
        def tried(body):
            try: return body()
            except TimeoutError: return "TIMEOUT"
            except OSError as error: return errno.errorcode[error.errno]
        def dial(address, port, source=None):
            def body():
                with made(address, T) as one:
                    if source: one.bind(source)
                    one.connect((address, port))
                    return one.recv(100).decode()
            return tried(body)
        def ask(address, port, source=None):
            def body():
                with made(address, U) as one:
                    if source: one.bind(source)
                    one.sendto(b"question", (address, port))
                    data, sender = one.recvfrom(100)
                    return f"{data.decode()} {sender[0]} {sender[1]}"
            return tried(body)
        def two(kind, address, port, to=None):
            \"\"\"Two sockets of one sandbox, one of which the other tries to reach.\"\"\"
            def body():
                with made(address, kind) as server, made(address, kind) as client:
                    server.settimeout(0.3)
                    server.bind((address, port))
                    if kind == T: server.listen()
                    client.connect((to or address, port))
                    client.send(b"between us")
                    if kind == U: return server.recv(100).decode()
                    return server.accept()[0].recv(100).decode()
            return tried(body)

        """
}

private let canMake = geteuid() == 0
private let reason: Comment = "needs root: network namespaces are made"

@Suite(.enabled(if: canMake, reason)) struct SandboxNetworkTests {
    @Test(arguments: [true, false])
    func `the kernel has the rules that are meant`(own: Bool) throws {
        let network = try SandboxNetwork(.gateway(loopback: own))
        let raw = try #require(network.rawNamespace)
        let found = try NetworkNamespace.inside(raw) { () throws(KernelError) in
            try Ruleset.read()
        }
        #expect(found == [SandboxNetwork.rules(ownLoopback: own)])
    }

    @Test func `making one leaves the maker where it was`() throws {
        let before = try Files.linkTarget("/proc/thread-self/ns/net")
        let network = try SandboxNetwork(.loopback)
        #expect(try Files.linkTarget("/proc/thread-self/ns/net") == before)
        let raw = try #require(network.rawNamespace)
        #expect(try Files.linkTarget("/proc/self/fd/\(raw)") != before)
    }

    @Test func `every address leads to the gateway, which learns what was dialled`() throws {
        let inside = try Inside(.gateway(loopback: false))
        let dialled = [
            ("1.2.3.4", 443), ("127.0.0.1", 80), ("127.9.9.9", 53), ("169.254.169.254", 80),
            ("2001:db8::7", 443), ("::1", 8080), ("::ffff:10.0.0.1", 5432), ("64:ff9b::1", 9),
            ("1.2.3.4", 1), ("127.0.0.2", 1),
        ]
        for (address, port) in dialled {
            let found = try inside.run("print(dial('\(address)', \(port)))")
            let plain = address.hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address
            #expect(found == "\(plain) \(port)\n")
        }
    }
}
