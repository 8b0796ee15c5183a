import Glibc
import Kernel
import NetworkRules
import Policy
import Sandbox
import SupervisorProtocol
import Testing

/// A sandbox's network namespace, and programs in it.
final class Box {
    struct Taken: Error {}
    private let network: SandboxNetwork
    private let namespace: Descriptor

    init() throws {
        network = try SandboxNetwork(.gateway(loopback: false))
        guard let namespace = network.takeNamespace() else { throw Taken() }
        self.namespace = namespace
    }

    /// The four sockets that a gateway serves it by.
    var doors: [CInt] { network.listeners?.raw ?? [] }

    /// Starts a Python program; `tell` writes a line to whoever reads its output.
    func start(_ program: String) throws -> Program {
        try Program(
            ["/usr/bin/nsenter", "--net=/proc/\(getpid())/fd/\(namespace.raw)"],
            prelude + "\n" + program)
    }

    /// What a Python program tells.
    func run(_ program: String) throws -> String { try start(program).output() }

    private var prelude: String {
        """
        import errno, hashlib, os, socket, struct, sys, threading, time
        PUBLIC, PUBLIC6 = "\(Bed.address)", "\(Bed.addressV6)"
        def tell(*words): os.write(3, (" ".join(map(str, words)) + "\\n").encode())
        def dial(port, address=PUBLIC): return socket.create_connection((address, port), 20)
        def read_all(s):
            found = b""
            while part := s.recv(65536): found += part
            return found
        def attempt(what):
            try: return what()
            except OSError as error:
                # What a reset is called depends on the call that meets it first.
                if error.errno in (errno.EPIPE, errno.ENOTCONN): return "ECONNRESET"
                return errno.errorcode.get(error.errno, repr(error))
        def echo(port, data=b"hello", address=PUBLIC):
            def work():
                with dial(port, address) as s:
                    s.sendall(data)
                    try: s.shutdown(socket.SHUT_WR)
                    except OSError: pass  # Reset already, as the next line hears.
                    return read_all(s).decode("latin1")
            return attempt(work)
        def wire(name): return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\\0"
        def question(name, kind=1, number=7):
            return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + wire(name) + struct.pack(">HH", kind, 1)
        def ask(name, kind=1, server="8.8.8.8", raw=None):
            family = socket.AF_INET6 if ":" in server else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(20); s.connect((server, 53)); s.send(raw or question(name, kind))
                return s.recv(4096)
        def ask_stream(name, kind=1, server="8.8.8.8"):
            with dial(53, server) as s:
                m = question(name, kind); s.sendall(struct.pack(">H", len(m)) + m)
                n = struct.unpack(">H", s.recv(2))[0]; found = b""
                while len(found) < n: found += s.recv(65536)
                return found
        def skip(m, at):
            while m[at]:
                if m[at] >= 192: return at + 2
                at += 1 + m[at]
            return at + 1
        def records(m):
            at, found = skip(m, 12) + 4, []
            for _ in range(struct.unpack(">H", m[6:8])[0]):
                at = skip(m, at); kind, _, life, n = struct.unpack(">HHIH", m[at:at + 10])
                found.append((kind, life, m[at + 10:at + 10 + n])); at += 10 + n
            return found
        def status(m): return m[3] & 15
        def addresses(m):
            families = {1: socket.AF_INET, 28: socket.AF_INET6}
            return [socket.inet_ntop(families[k], d) for k, _, d in records(m) if k in families]
        """
    }
}

/// A Python program that tells lines on its descriptor 3, and hears them on 4.
final class Program {
    private let child: Child
    private let told: Descriptor
    private let said: Descriptor

    init(_ prefix: [String], _ program: String) throws {
        let out = try Pipe()
        let into = try Pipe()
        child = try Child.spawn(
            prefix[0], arguments: prefix.dropFirst() + ["/usr/bin/python3", "-c", program],
            environment: ["PATH=/usr/bin:/bin"], descriptors: [out.write.raw, into.read.raw])
        told = out.split { read, _ in read }
        said = into.split { _, write in write }
    }

    deinit {
        // It has ended by itself, or nobody waits for it any more.
        try? child.end()
    }

    /// The next line, without its end.
    func line() throws -> String {
        var line: [UInt8] = []
        while let byte = try told.read(limit: 1), let first = byte.first {
            if first == UInt8(ascii: "\n") { break }
            line.append(first)
        }
        return String(decoding: line, as: UTF8.self)
    }

    func say(_ line: String) throws { try said.write(Array((line + "\n").utf8)) }

    /// The rest of what it tells, to its end.
    func output() throws -> String {
        let bytes = try told.readAll(limit: 1 << 20)
        return String(
            decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes, as: UTF8.self)
    }
}

/// Programs of the host's that the tests use.
enum Command {
    struct Failed: Error { let words: [String] }

    static let ip = "/usr/sbin/ip"

    static func run(_ words: String...) throws { try run(words) }

    static func run(_ words: [String]) throws {
        let child = try Child.spawn(
            "/usr/bin/env", arguments: words, environment: ["PATH=/usr/sbin:/usr/bin:/bin"],
            descriptors: [])
        _ = try poll([Interest(child.pidfd.raw, readable: true)], milliseconds: 30_000)
        guard let ending = try child.reap(), ending.status == 0 else { throw Failed(words: words) }
    }

    /// For the end, when nobody can do anything about a failure.
    static func runAnyhow(_ words: String...) {
        // Found by the look at what tests leave behind.
        try? run(words)
    }

    /// The gateway's own walls, compiled from the profile as it is shipped.
    static func gatewayFilter() throws -> Descriptor {
        let top = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = top + "/policies/syscalls/egress.yaml"
        let profile = try SyscallProfile.read(
            Array(try Files.text(path).utf8), file: path)
        let pipe = try Pipe()
        try pipe.write.write(try SystemCallFilter(compiling: profile).bytes)
        // The writing end is closed here: the gateway reads to the end.
        return pipe.split { read, _ in read }
    }
}

/// Rules in the words of a policy.
func rules(
    _ allow: [String], privately: Bool = false, deny: [AddressSet] = AddressSet.allCases,
    limits change: (inout EgressRules.Limits) -> Void = { _ in }
) throws -> EgressRules {
    var limits = EgressRules.Limits(
        connections: 64, connectionsPerSecond: 1000, bytesPerCall: nil, bytesPerDay: nil,
        idleMilliseconds: 60_000, lifeMilliseconds: nil)
    change(&limits)
    let keys = [
        "allow", "connections", "connections_per_second", "bytes_per_call", "bytes_per_day",
    ]
    return EgressRules(
        allow: try allow.enumerated().map { index, text in
            EgressRules.Allow(
                destination: try Destination(text), allowsPrivate: privately, text: text,
                place: "test.yaml:\(10 + index)")
        },
        deny: deny.map { EgressRules.Deny(set: $0, place: "test.yaml:1") }, limits: limits,
        limitPlaces: Dictionary(
            uniqueKeysWithValues: keys.enumerated().map {
                ("network." + $1, "test.yaml:\(20 + $0)")
            }))
}
