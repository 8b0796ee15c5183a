import Glibc
import NetworkRules
import Testing

/// The parsers beside others' that are known to be strict.
@Suite struct ReferenceTests {
    private static let seeds = [
        "1.2.3.4", "255.255.255.255", "0.0.0.0", "::", "::1", "1::", "2001:db8::1:0:0:1",
        "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "64:ff9b::127.0.0.1", "1:2:3:4:5:6:1.2.3.4",
        "fe80::1%lo", "0x7f.1", "017700000001", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
    ]
    private static let pieces = Array(".:%/[]0123456789abcfxABF \u{0}\n-+")

    /// What inet_pton(3) makes of a text.
    private func reference(_ text: String) -> [UInt8]? {
        // It would read up to the first NUL.
        guard !text.utf8.contains(0) else { return nil }
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: 16)
            if unsafe inet_pton(family, text, &bytes) == 1 { return Array(bytes.prefix(length)) }
        }
        return nil
    }

    private func mutated(_ seed: String, _ numbers: inout Numbers) -> String {
        var text = Array(seed)
        for _ in 0..<Int.random(in: 0...3, using: &numbers) {
            let index = Int.random(in: 0...text.count, using: &numbers)
            switch Int.random(in: 0...2, using: &numbers) {
            case 0: text.insert(Self.pieces.randomElement(using: &numbers) ?? ".", at: index)
            case 1 where index < text.count: text.remove(at: index)
            case 2 where index < text.count:
                text[index] = Self.pieces.randomElement(using: &numbers) ?? ":"
            default: break
            }
        }
        return String(text)
    }

    @Test func `an address is read exactly when inet_pton reads it, and as the same`() {
        var numbers = Numbers(seed: 7)
        var read = 0
        for _ in 0..<40_000 {
            let text = mutated(Self.seeds.randomElement(using: &numbers) ?? "", &numbers)
            let expected = reference(text)
            read += expected == nil ? 0 : 1
            if IPAddress(text)?.bytes != expected { Issue.record("\(text.debugDescription)") }
        }
        #expect(read > 4000)
    }

    @Test func `an address is printed as inet_ntop prints it`() throws {
        var numbers = Numbers(seed: 8)
        for _ in 0..<10_000 {
            var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            for index in bytes.indices where Int.random(in: 0...2, using: &numbers) > 0 {
                bytes[index] = 0
            }
            // It writes compatible addresses with dots, which RFC 5952 does not ask for.
            if bytes.prefix(12).allSatisfy({ $0 == 0 }) { continue }
            var room = [CChar](repeating: 0, count: 46)
            let printed = unsafe inet_ntop(AF_INET6, bytes, &room, 46).map {
                unsafe String(cString: $0)
            }
            let address = try #require(IPAddress(bytes: bytes))
            if address.description != printed { Issue.record("\(address) \(printed ?? "")") }
        }
    }

    @Test func `a name matches a wildcard exactly when its last labels are the parent's`() throws {
        var numbers = Numbers(seed: 9)
        let labels = ["a", "b", "ab", "evil-a", "example", "com", "xn--a", "a_b"]
        func name() -> [String] {
            (0..<Int.random(in: 1...4, using: &numbers)).map { _ in
                labels.randomElement(using: &numbers) ?? "a"
            }
        }
        for _ in 0..<20_000 {
            let (one, parent) = (name(), name())
            let isBelow = one.count > parent.count && one.suffix(parent.count) == parent[...]
            let read = try (
                #require(HostName(one.joined(separator: "."))),
                #require(HostName(parent.joined(separator: ".")))
            )
            if read.0.isSubdomain(of: read.1) != isBelow { Issue.record("\(one) \(parent)") }
        }
    }
}
