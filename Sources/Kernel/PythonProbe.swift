import Glibc

/// Asks Python what an installation will ask of it.
enum PythonProbe {
    /// The interpreter that installations use.
    static let path = "/usr/bin/python3"
    /// How long it may take, in milliseconds; it needs about a hundred.
    private static let patience = 10_000
    /// The most it may say, in bytes.
    private static let answerBytes = 4 << 10
    /// Its answer goes to descriptor 3, so that nothing else gets between.
    private static let script = """
        import os, sys
        def say(text): os.write(3, text.encode()); sys.exit()
        try:
            import venv, ensurepip, glob
        except ImportError as error:
            say("no " + error.name)
        bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
        wheels = [path for place in ("/usr/share/python-wheels", bundled)
                  for path in glob.glob(os.path.join(place, "pip-*.whl"))]
        if not wheels: say("no pip wheel")
        say("ok " + sys.version.split()[0] + " " + os.path.basename(wheels[0]).split("-")[1])
        """

    /// Runs it, alone with its own library (-I -S).
    static func run() -> HostFacts.Python {
        do throws(KernelError) {
            guard try Files.status(path) != nil else { return .missing }
            return answer(try ask())
        } catch {
            return .incomplete(error.description)
        }
    }

    /// The pure part.
    static func answer(_ text: String) -> HostFacts.Python {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0] == "ok" else {
            return .incomplete(text.isEmpty ? "no answer" : text)
        }
        return .complete(version: String(words[1]), pip: String(words[2]))
    }

    private static func ask() throws(KernelError) -> String {
        try Pipe().split { read, write throws(KernelError) in
            let child = try Child.spawn(
                path, arguments: ["-I", "-S", "-B", "-c", script], environment: [],
                descriptors: [write.raw])
            _ = consume write
            let poller = try Poller()
            try poller.add(child.pidfd.raw, token: 0)
            _ = try poller.wait(milliseconds: patience)
            try child.end()
            try read.setNonblocking(true)
            let bytes = try read.read(limit: answerBytes, from: path) ?? []
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
