import Kernel
import Sandbox

/// Compares the mounts of a sandbox with what it may see: the listed trees, its own places, and
/// nothing else of the host. Pure.
struct MountRows {
    /// One comparison.
    struct Row: Equatable {
        let name: String
        let wanted: String
        let found: String
        let ok: Bool
    }

    /// A place that every sandbox has.
    private struct Place {
        let path: String
        let kind: String
        let options: Set<String>
        var fileSystemOptions: Set<String> = []
    }

    private let mounts: [MountInfo]
    private let walls: Walls

    init(_ mountinfo: String, _ walls: Walls) {
        mounts = mountinfo.split(separator: "\n").compactMap { MountInfo($0) }
        self.walls = walls
    }

    /// Every comparison; mounts that belong to nothing come last.
    func all() -> [Row] {
        places.map(row) + walls.shown.map(row) + foreign()
    }

    private var places: [Place] {
        // The kernel counts in pages and rounds up.
        let size: Set = [
            "size=\((walls.scratchBytes + 4095) / 4096 * 4)k", "nr_inodes=\(walls.scratchInodes)",
        ]
        let scratch: Set = ["rw", "nosuid", "nodev"]
        return [
            Place(
                path: "/", kind: "tmpfs", options: ["ro", "nosuid", "nodev"],
                fileSystemOptions: ["size=1024k"]),
            // Its device files are its own; devices elsewhere are dead.
            Place(
                path: "/dev", kind: "tmpfs", options: ["ro", "nosuid", "noexec"],
                fileSystemOptions: ["size=64k"]),
            Place(
                path: "/proc", kind: "proc", options: ["nosuid", "nodev", "noexec"],
                fileSystemOptions: ["hidepid=invisible", "subset=pid"]),
            // Where the three below are cut from; only root may enter it.
            Place(path: "/scratch", kind: "tmpfs", options: scratch, fileSystemOptions: size),
            Place(path: "/tmp", kind: "tmpfs", options: scratch, fileSystemOptions: size),
            Place(path: RootTree.home, kind: "tmpfs", options: scratch, fileSystemOptions: size),
            Place(path: "/dev/shm", kind: "tmpfs", options: scratch, fileSystemOptions: size),
        ]
    }

    private func row(_ place: Place) -> Row {
        let wanted =
            ([place.kind] + place.options.sorted() + place.fileSystemOptions.sorted())
            .joined(separator: " ")
        let here = mounts.filter { $0.point == place.path }
        let ok =
            here.count == 1
            && here.allSatisfy {
                $0.kind == place.kind && $0.propagation.isEmpty
                    && place.options.isSubset(of: $0.options)
                    && place.fileSystemOptions.isSubset(of: $0.fileSystemOptions)
            }
        return Row(name: place.path, wanted: wanted, found: text(here), ok: ok)
    }

    private func row(_ shown: Walls.Shown) -> Row {
        var flags: Set = ["nosuid", "nodev"]
        if !shown.writable { flags.insert("ro") }
        let wanted = flags.sorted().joined(separator: " ")
        let here = mounts.filter { owner($0) == shown.path }
        guard here.contains(where: { $0.point == shown.path }) else {
            let found = "not there" + (shown.required ? "" : ", and so not seen")
            return Row(name: shown.path, wanted: wanted, found: found, ok: !shown.required)
        }
        // What is mounted below a listed tree comes with it, under the same flags.
        let weak = here.filter { !flags.isSubset(of: $0.options) || !$0.propagation.isEmpty }
        return Row(
            name: shown.path, wanted: wanted, found: text(weak.isEmpty ? here : weak),
            ok: weak.isEmpty)
    }

    private func foreign() -> [Row] {
        let own = Set(places.map(\.path))
        let rest = mounts.filter { !own.contains($0.point) && owner($0) == nil }
        guard !rest.isEmpty else {
            return [Row(name: "anything else", wanted: "none", found: "none", ok: true)]
        }
        return rest.prefix(Limit.postureMounts).map {
            Row(name: $0.point, wanted: "not there", found: text([$0]), ok: false)
        }
    }

    /// The listed tree that a mount lies in: the nearest above it.
    private func owner(_ mount: MountInfo) -> String? {
        walls.shown.map(\.path).filter { mount.point == $0 || mount.point.hasPrefix($0 + "/") }
            .max { $0.utf8.count < $1.utf8.count }
    }

    private func text(_ mounts: [MountInfo]) -> String {
        guard !mounts.isEmpty else { return "not there" }
        return mounts.map { mount in
            let options = mount.options.subtracting(["relatime", "noatime"]).sorted()
            let sizes = mount.fileSystemOptions.filter {
                $0.hasPrefix("size=") || $0.hasPrefix("nr_inodes=") || $0.hasPrefix("hidepid=")
                    || $0.hasPrefix("subset=")
            }
            return ([mount.kind] + options + mount.propagation + sizes).joined(separator: " ")
        }.joined(separator: "; ")
    }
}
