/// What this process may do and use, as the kernel says it.
public enum OwnLimits {
    /// The effective capabilities by number (capabilities(7)); nil when they cannot be read.
    static func capabilities() -> Set<Int>? {
        do throws(KernelError) {
            return capabilities(status: try Files.text("/proc/self/status"))
        } catch {
            return nil
        }
    }

    /// The pure part: CapEff of /proc/PID/status, a bit mask.
    static func capabilities(status: String) -> Set<Int>? {
        for line in status.split(separator: "\n") where line.hasPrefix("CapEff:") {
            let digits = line.dropFirst("CapEff:".utf8.count).drop { $0 == "\t" || $0 == " " }
            guard let mask = UInt64(digits, radix: 16) else { return nil }
            return Set((0..<64).filter { mask & 1 << UInt64($0) != 0 })
        }
        return nil
    }

    /// The hard limits by name; none when they cannot be read.
    static func hard() -> [String: Int] {
        do throws(KernelError) {
            return hard(limits: try Files.text("/proc/self/limits"))
        } catch {
            return [:]
        }
    }

    /// The pure part: the hard limits of /proc/PID/limits by name, such as `Max open files`; -1 for
    /// none.
    public static func hard(limits text: String) -> [String: Int] {
        var found: [String: Int] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.firstIndex(where: { $0 == "unlimited" || Int($0) != nil }),
                words.indices.contains(first + 1)
            else { continue }
            let name = words[..<first].joined(separator: " ")
            found[name] = words[first + 1] == "unlimited" ? -1 : Int(words[first + 1])
        }
        return found
    }
}
