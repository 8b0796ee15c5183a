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

    /// Changes the namespace as root, with words of ip(8).
    func configure(_ words: [String]) throws {
        let raw = try #require(network.rawNamespace)
        let child = try Child.spawn(
            "/usr/bin/nsenter",
            arguments: ["--net=/proc/\(getpid())/fd/\(raw)", "/usr/sbin/ip"] + words,
            environment: [], descriptors: [])
        let poller = try Poller()
        try poller.add(child.pidfd.raw, token: 0)
        var ending: Child.Ending?
        while ending == nil {
            _ = try poller.wait(milliseconds: nil)
            ending = try child.reap()
        }
        #expect(ending?.status == 0, "\(words)")
    }

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
                    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    # An address that is on no device (IP_FREEBIND, IPV6_FREEBIND).
                    server.setsockopt(*((41, 78) if ":" in address else (0, 15)), 1)
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

    @Test(arguments: [
        SandboxNetwork.Kind.loopback, .gateway(loopback: false), .gateway(loopback: true),
    ])
    func `a look into one tells what is meant, and what somebody changed`(
        kind: SandboxNetwork.Kind
    ) throws {
        let inside = try Inside(kind, gateway: false)
        let raw = try #require(inside.network.rawNamespace)
        let meant = NetworkReading(meantFor: kind)
        #expect(try NetworkReading(inside: raw) == meant)
        for words in [
            ["link", "add", "d0", "type", "veth"], ["route", "add", "default", "dev", "lo"],
        ] {
            try inside.configure(words)
        }
        let changed = try NetworkReading(inside: raw)
        #expect(changed.devices.count == 3 && changed.devices.contains("d0 down"))
        #expect(changed.routes.contains("IPv4 type 1 default"))
        #expect(changed.hasRules(of: meant))
        let other = NetworkReading(meantFor: kind == .loopback ? .gateway(loopback: true) : nil)
        #expect(!changed.hasRules(of: other))
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

/// Ways around the gateway, tried as the tool would; a `TIMEOUT` is what nothing may end in.
extension SandboxNetworkTests {
    @Test func `the gateway itself cannot be dialled, and who tries is told at once`() throws {
        let inside = try Inside(.gateway(loopback: true))
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            #expect(try inside.run("print(dial('\(address)', 1))") == "ECONNREFUSED\n")
            #expect(try inside.run("print(ask('\(address)', 1))") == "EPERM\n")
        }
    }

    @Test func `a question for a name is answered from the address that was asked`() throws {
        let inside = try Inside(.gateway(loopback: true))
        for address in ["8.8.8.8", "127.0.0.53", "2001:db8::53", "::1", "169.254.169.254"] {
            let found = try inside.run("print(ask('\(address)', 53))")
            #expect(found == "answer question \(address) 53\n")
        }
        // One socket that asks two servers, as resolvers do.
        let both = try inside.run(
            """
            for address in (("8.8.8.8", "9.9.9.9"), ("2001:db8::8", "2001:db8::9")):
                with made(address[0], U) as one:
                    one.bind(("127.0.0.1" if "." in address[0] else "::1", 40000))
                    for server in address:
                        one.sendto(b"question", (server, 53))
                    print(sorted(one.recvfrom(100)[1][0] for server in address))
            """)
        #expect(both == "['8.8.8.8', '9.9.9.9']\n['2001:db8::8', '2001:db8::9']\n")
    }

    @Test(arguments: [true, false])
    func `datagrams to any other port fail at once, however they are sent`(own: Bool) throws {
        let inside = try Inside(.gateway(loopback: own))
        let found = try inside.run(
            """
            for address in ("8.8.8.8", "2001:db8::8", "224.0.0.251", "ff02::fb", "255.255.255.255",
                            "169.254.169.254", "fe80::1"):
                place = (address, 443) if "." in address else (address, 443, 0, 1)
                with made(address, U) as one:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                    print(tried(lambda: one.sendto(b"x", place)),
                          tried(lambda: one.sendmsg([b"x"], [], 0, place)),
                          tried(lambda: one.connect(place) or one.send(b"x")))
            """)
        // EINVAL: the source address that it gets by connecting would be a group's.
        let words = found.split { $0 == " " || $0 == "\n" }
        #expect(words.count == 21 && words.allSatisfy { ["EPERM", "EINVAL"].contains($0) })
    }

    @Test func `bytes sent with the first packet reach the gateway and nobody else`() throws {
        let inside = try Inside(.gateway(loopback: false))
        let found = try inside.run(
            """
            MSG_FASTOPEN = 0x20000000
            for address in ("1.2.3.4", "2001:db8::1"):
                for _ in range(2):
                    with made(address, T) as one:
                        one.setblocking(True)
                        one.sendto(b"early", MSG_FASTOPEN, (address, 80))
                        print(one.recv(100).decode())
                with made(address, U) as one:
                    print(tried(lambda: one.sendto(b"x", MSG_FASTOPEN, (address, 80))))
            """)
        #expect(
            found == """
                1.2.3.4 80
                1.2.3.4 80
                EPERM
                2001:db8::1 80
                2001:db8::1 80
                EPERM

                """)
    }

    @Test func `without a loopback of its own, two of one sandbox cannot meet anywhere`() throws {
        let inside = try Inside(.gateway(loopback: false))
        for address in ["127.0.0.1", "8.8.8.8", "0.0.0.0", "::1", "2001:db8::1"] {
            // The gateway accepts in the other's place.
            #expect(try inside.run("print(two(T, '\(address)', 5000))") == "TIMEOUT\n")
            #expect(try inside.run("print(two(U, '\(address)', 5000))") == "EPERM\n")
        }
        // Each dials the other at once, from the port that it is dialled at.
        let crossed = try inside.run(
            """
            one, other = made("8.8.8.8", T), made("8.8.8.8", T)
            one.bind(("8.8.8.8", 5001)); other.bind(("9.9.9.9", 5002))
            one.setblocking(False); other.setblocking(False)
            one.connect_ex(("9.9.9.9", 5002)); other.connect_ex(("8.8.8.8", 5001))
            one.settimeout(5); other.settimeout(5)
            print(one.recv(100).decode(), other.recv(100).decode())
            """)
        #expect(crossed == "9.9.9.9 5002 8.8.8.8 5001\n")
    }

    @Test(arguments: [SandboxNetwork.Kind.loopback, .gateway(loopback: true)])
    func `with a loopback of its own, it reaches its own servers there and only there`(
        kind: SandboxNetwork.Kind
    ) throws {
        let inside = try Inside(kind)
        for address in ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::"] {
            #expect(try inside.run("print(two(T, '\(address)', 5000))") == "between us\n")
            #expect(try inside.run("print(two(U, '\(address)', 5000))") == "between us\n")
        }
        #expect(try inside.run("print(dial('127.0.0.1', 5001))") == "ECONNREFUSED\n")
        for address in ["8.8.8.8", "2001:db8::1"] {
            for kind in ["T", "U"] {
                let met = try inside.run("print(two(\(kind), '\(address)', 5000))")
                #expect(met != "between us\n", "\(address) \(kind): \(met)")
            }
        }
    }

    @Test func `a loopback alone has no gateway and no way out`() throws {
        let inside = try Inside(.loopback)
        #expect(inside.network.listeners == nil)
        for address in ["1.2.3.4", "2001:db8::1"] {
            #expect(try inside.run("print(dial('\(address)', 443))") == "ENETUNREACH\n")
            #expect(try inside.run("print(ask('\(address)', 53))") == "ENETUNREACH\n")
        }
        #expect(try inside.run("print(ask('127.0.0.1', 53))") == "TIMEOUT\n")
    }

    @Test func `ports below 1024 and what needs privilege stay out of a tool's reach`() throws {
        let inside = try Inside(.gateway(loopback: true))
        let found = try inside.run(
            """
            for port in (1, 2, 53):
                for kind in (T, U):
                    with made("127.0.0.1", kind) as one:
                        print(tried(lambda: one.bind(("127.0.0.1", port))))
            print(tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)))
            print(tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)))
            print(tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)))
            """)
        // EADDRINUSE would say that only somebody being there first keeps it out.
        #expect(found == String(repeating: "EACCES\n", count: 6) + "EPERM\nEACCES\nEPERM\n")
    }

    @Test func `one port of a tool's serves connections to many addresses`() throws {
        let inside = try Inside(.gateway(loopback: false))
        let found = try inside.run(
            """
            for address, own in (("10.0.0.%d", "127.0.0.1"), ("2001:db8::%x", "::1")):
                for number in range(1, 4):
                    one = made(own, T)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    one.bind((own, 41000))
                    one.connect((address % number, 443))
                    print(one.recv(100).decode())
            """)
        #expect(
            found == """
                10.0.0.1 443
                10.0.0.2 443
                10.0.0.3 443
                2001:db8::1 443
                2001:db8::2 443
                2001:db8::3 443

                """)
    }

    @Test func `the kernel forgets soon what is over, and not what one side still waits for`()
        throws
    {
        let network = try SandboxNetwork(.gateway(loopback: false))
        let raw = try #require(network.rawNamespace)
        func seconds(_ name: String, in namespace: CInt?) throws -> Int {
            let path = "/proc/sys/net/netfilter/nf_conntrack_" + name
            let text =
                try namespace.map {
                    try NetworkNamespace.inside($0) { () throws(KernelError) in
                        try Files.text(path)
                    }
                } ?? Files.text(path)
            return try #require(Int(text.prefix { $0 != "\n" }))
        }
        #expect(try seconds("tcp_timeout_time_wait", in: raw) == 2)
        #expect(try seconds("udp_timeout", in: raw) == 5)
        let waiting = try seconds("tcp_timeout_close_wait", in: raw)
        #expect(try waiting == seconds("tcp_timeout_established", in: raw))
        // The host's own stay as they are.
        #expect(try seconds("tcp_timeout_time_wait", in: nil) > 2)
    }

    @Test func `without a gateway connections wait, and only so many`() throws {
        let inside = try Inside(.gateway(loopback: false), gateway: false)
        let found = try inside.run(
            """
            import time
            all = []
            for _ in range(400):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(("1.2.3.4", 80))
                all.append(one)
            time.sleep(0.3)
            print(sum(not one.getsockopt(socket.IPPROTO_TCP, 11, 1)[0] - 1 for one in all))
            """)
        let established = try #require(Int(found.prefix { $0 != "\n" }), "\(found)")
        #expect((100...260).contains(established))
    }
}
