/// The command line that corrald writes.
struct Options {
    /// A mistake on it.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    var supervisorSocket: CInt = -1
    var filter: CInt = -1
    var resolvConf = "/etc/resolv.conf"
    var hosts = "/etc/hosts"

    /// Reads `--name value` pairs.
    init(_ words: [String]) throws(Mistake) {
        guard words.count.isMultiple(of: 2) else {
            throw Mistake(description: "cannot read the command line: an option lacks its value")
        }
        for index in stride(from: 0, to: words.count, by: 2) {
            let (name, value) = (words[index], words[index + 1])
            switch name {
            case "--supervisor-fd": supervisorSocket = try Self.descriptor(name, value)
            case "--filter-fd": filter = try Self.descriptor(name, value)
            case "--resolv-conf": resolvConf = value
            case "--hosts": hosts = value
            default:
                throw Mistake(description: "cannot read the command line: no option '\(name)'")
            }
        }
        guard supervisorSocket >= 0, filter >= 0 else {
            throw Mistake(
                description: "cannot read the command line: --supervisor-fd and --filter-fd are "
                    + "needed (corrald starts this program)")
        }
    }

    private static func descriptor(_ name: String, _ value: String) throws(Mistake) -> CInt {
        guard let number = CInt(value), number > 2 else {
            throw Mistake(description: "cannot read '\(name)': '\(value)' is no descriptor")
        }
        return number
    }
}
