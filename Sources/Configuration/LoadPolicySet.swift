public import YAML

extension PolicySet {
    /// The most files of one kind in a directory.
    private static let filesPerDirectory = 512

    /// Reads the directories `policies` (with `access.yaml` and `syscalls/`) and `runcards`;
    /// without the latter there are no cards.
    ///
    /// Throws every mistake of every file at once, those of owners and permissions included.
    public static func load(
        policies: String, runcards: String?, _ trust: Trust
    ) throws(Mistakes) -> PolicySet {
        var loader = Loader(trust: trust)
        let access = policies + "/access.yaml"
        let contents = Contents(
            access: Contents.File(name: access, bytes: loader.read(access)),
            policies: loader.files(in: policies, ".yaml", except: "access.yaml"),
            profiles: loader.files(in: policies + "/syscalls", ".yaml"),
            cards: runcards.map { loader.files(in: $0, ".yaml") } ?? [],
            locks: runcards.map { loader.files(in: $0, ".lock") } ?? [])
        let set: PolicySet
        do throws(Mistakes) {
            set = try PolicySet(contents)
        } catch {
            // A file that could not be read is in the list already; that it is empty says nothing.
            let unread = Set(loader.mistakes.map(\.place.file))
            throw Mistakes(
                loader.mistakes + error.all.filter { !unread.contains($0.place.file) })
        }
        guard loader.mistakes.isEmpty else { throw Mistakes(loader.mistakes) }
        return set
    }

    /// Reads files and keeps going after a mistake.
    private struct Loader {
        let trust: Trust
        var mistakes: [Mistake] = []

        mutating func read(_ path: String) -> [UInt8] {
            do throws(Mistake) {
                return try TrustedFile.read(path, trust)
            } catch {
                mistakes.append(error)
                return []
            }
        }

        mutating func files(
            in directory: String, _ suffix: String, except: String = ""
        ) -> [Contents.File] {
            let names: [String]
            do throws(Mistake) {
                names = try TrustedFile.names(in: directory, trust)
            } catch {
                mistakes.append(error)
                return []
            }
            for name in names where name.hasSuffix(".yml") {
                let place = Place(file: "\(directory)/\(name)")
                mistakes.append(Mistake(place, "would be passed over: its name must end in .yaml"))
            }
            let wanted = names.filter { $0.hasSuffix(suffix) && $0 != except }
            guard wanted.count <= filesPerDirectory else {
                let place = Place(file: directory)
                mistakes.append(Mistake(place, "more than \(filesPerDirectory) \(suffix) files"))
                return []
            }
            return wanted.map { name in
                let path = "\(directory)/\(name)"
                return Contents.File(name: path, bytes: read(path))
            }
        }
    }
}
