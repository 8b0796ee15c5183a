import Configuration
import Kernel
import Policy
import RunCards
import Testing
import YAML

/// A generator whose numbers a failed test can have again (xorshift64*).
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

@Suite struct DamageTests {
    private static let files = [
        "policies/default.yaml", "policies/access.yaml", "runcards/git.yaml",
        "runcards/custom.yaml", "runcards/time.lock",
    ]
    /// Bytes that mean something to YAML, to placeholders or to lock files, and some that do not.
    private static let bytes =
        Array(" \n-:,[]{}'\"#&*!|>%@`\\?=~0a\u{0}\u{7F}\t".utf8) + [0xFF, 0xC3]

    /// Changes, removes, inserts, doubles or cuts at random places.
    private func damaged(_ original: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &dice)
            let end = min(bytes.count, at + Int.random(in: 0...40, using: &dice))
            let byte = Self.bytes.randomElement(using: &dice) ?? 0
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: bytes[at] = byte
            case 1: bytes.insert(byte, at: at)
            case 2: bytes.removeSubrange(at..<end)
            case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
            default: bytes.removeSubrange(end...)
            }
        }
        return bytes
    }

    private func mistakes(_ bytes: [UInt8], _ name: String) -> [Mistake] {
        do throws(Mistakes) {
            switch name {
            case "policies/default.yaml": _ = try Policy.read(bytes, file: name)
            case "policies/access.yaml": _ = try Access.read(bytes, file: name)
            case "runcards/time.lock": _ = try Lock.read(bytes, file: name)
            default: _ = try RunCard.read(bytes, file: name)
            }
            return []
        } catch {
            return error.all
        }
    }

    @Test(arguments: files)
    func `a damaged file is read or refused at places it has, and never ends the program`(
        name: String
    ) throws {
        let original = try Files.read(packageDirectory + "/" + name, limit: 256 << 10)
        #expect(mistakes(original, name) == [])
        var dice = Dice(state: 20_260_728)
        var refused = 0
        for round in 0..<200 {
            let bytes = damaged(original, &dice)
            let lines = bytes.count { $0 == 0x0A } + 2
            let found = mistakes(bytes, name)
            refused += found.isEmpty ? 0 : 1
            #expect(
                found.allSatisfy { (1...lines).contains($0.place.line) && $0.place.column > 0 },
                "round \(round): \(found)")
        }
        // The counter counts: most damage cannot pass unseen.
        #expect(refused > 50)
    }
}
