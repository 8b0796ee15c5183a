/// The disks behind directories, as far as the kernel can limit what is read and written there.
public struct Disks: Sendable, Equatable {
    /// Whole disks by the kernel's numbers, `254:0`, each once.
    public private(set) var numbers: [String] = []
    /// Mounts that are on no such disk, each with the reason: `/srv: tmpfs has no disk`.
    public private(set) var without: [String] = []

    /// What a device number stands for.
    enum Look: Equatable {
        /// A disk with requests to limit, by the number of the whole of it.
        case disk(String)
        /// None, in words that follow the mount's place.
        case none(String)
    }

    /// Looks at what is mounted at and below `paths`, whose links are followed, and `own`, which
    /// have none in them; a path that is not there has no disk.
    public init(below paths: [String], and own: [String] = []) throws(KernelError) {
        var places = own
        for path in paths {
            if let place = try Self.place(of: path) { places.append(place) }
        }
        let mounts = try Files.text("/proc/self/mountinfo", limit: 4 << 20)
        try self.init(places, mounts: mounts) { mount throws(KernelError) in try Self.look(mount) }
    }

    /// The pure part; `mounts` is mountinfo (proc(5)).
    init(
        _ places: [String], mounts: String, look: (MountInfo) throws(KernelError) -> Look
    ) throws(KernelError) {
        let known = mounts.split(separator: "\n").compactMap { MountInfo($0) }
        var seen: Set<String> = []
        for mount in places.flatMap({ Self.mounts(behind: $0, known) })
        where seen.insert(mount.device).inserted {
            switch try look(mount) {
            case .disk(let number): if !numbers.contains(number) { numbers.append(number) }
            case .none(let reason): without.append("\(mount.point): \(reason)")
            }
        }
        numbers.sort()
    }

    /// The mount that a place is in, and those below it; of two on one point the later hides the
    /// other.
    private static func mounts(behind place: String, _ known: [MountInfo]) -> [MountInfo] {
        var around: MountInfo?
        for mount in known where mount.point == "/" || (place + "/").hasPrefix(mount.point + "/") {
            if mount.point.utf8.count >= around?.point.utf8.count ?? 0 { around = mount }
        }
        return (around.map { [$0] } ?? []) + known.filter { $0.point.hasPrefix(place + "/") }
    }

    /// Where a path leads; nil when it is not there.
    private static func place(of path: String) throws(KernelError) -> String? {
        do throws(KernelError) {
            let opened = try Descriptor.openPath(path)
            return try Files.linkTarget("/proc/self/fd/\(opened.raw)")
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Asks the kernel; `system` is where sysfs is.
    static func look(_ mount: MountInfo, system: String = "/sys") throws(KernelError) -> Look {
        // Such numbers are made up for file systems that are on no disk, or on several.
        guard !mount.device.hasPrefix("0:") else { return .none("\(mount.kind) has no disk") }
        var number = mount.device
        let place = system + "/dev/block/" + number
        // What a link leads to is a directory in that of its whole disk.
        if try Files.status(place + "/partition") != nil {
            number = String(try Files.text(place + "/../dev").prefix { $0 != "\n" })
        }
        guard try Files.status(system + "/dev/block/\(number)/queue") != nil else {
            return .none("disk \(number) has no request queue")
        }
        return .disk(number)
    }
}
