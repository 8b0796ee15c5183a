/// How fast a group may read from and write to disks.
extension Cgroup {
    /// What all its processes together may do on each of some disks in a second; nil for as much
    /// as they like.
    public struct DiskRates: Sendable, Equatable {
        /// Bytes read.
        public var readBytes: Int?
        /// Bytes written.
        public var writeBytes: Int?
        /// Requests to read.
        public var reads: Int?
        /// Requests to write.
        public var writes: Int?
        /// Whole disks by the kernel's numbers: `254:0`.
        public var disks: [String]

        /// States the rates on some disks.
        public init(
            readBytes: Int? = nil, writeBytes: Int? = nil, reads: Int? = nil, writes: Int? = nil,
            disks: [String]
        ) {
            self.readBytes = readBytes
            self.writeBytes = writeBytes
            self.reads = reads
            self.writes = writes
            self.disks = disks
        }
    }

    /// The limits on disks: a line for each disk (cgroups(7); cgroup-v2.rst, "io.max";
    /// cgroup-v1/blkio-controller.rst, "Throttling").
    var diskSettings: [Setting] { limits.disks.map { Self.settings($0, version) } ?? [] }

    /// The pure part.
    static func settings(_ rates: DiskRates, _ version: CgroupHost.Version) -> [Setting] {
        func word(_ rate: Int?) -> String { rate.map { String($0) } ?? "max" }
        return rates.disks.flatMap { disk -> [Setting] in
            switch version {
            case .v2:
                let bytes = "rbps=\(word(rates.readBytes)) wbps=\(word(rates.writeBytes))"
                let counts = "riops=\(word(rates.reads)) wiops=\(word(rates.writes))"
                return [Setting("io.max", "\(disk) \(bytes) \(counts)", line: disk)]
            case .v1:
                let files = [
                    ("read_bps", rates.readBytes), ("write_bps", rates.writeBytes),
                    ("read_iops", rates.reads), ("write_iops", rates.writes),
                ]
                return files.compactMap { name, rate in
                    rate.map {
                        Setting("blkio.throttle.\(name)_device", "\(disk) \($0)", line: disk)
                    }
                }
            }
        }
    }

    /// Takes the limits on disks away: what waits for a disk there cannot be killed before it has
    /// got what it asked for.
    public func liftDiskRates() throws(KernelError) {
        guard limits.disks != nil else { return }
        for place in places { try Self.letGoOfDisks(place.path) }
    }

    /// The files with limits on disks, and what a disk's number is written with to end its limit.
    private static let diskFiles = [
        ("io.max", "rbps=max wbps=max riops=max wiops=max"),
        ("blkio.throttle.read_bps_device", "0"), ("blkio.throttle.write_bps_device", "0"),
        ("blkio.throttle.read_iops_device", "0"), ("blkio.throttle.write_iops_device", "0"),
    ]

    /// The same for a group that somebody else has made.
    static func letGoOfDisks(_ group: String) throws(KernelError) {
        for (file, open) in diskFiles {
            let path = group + "/" + file
            guard try Files.status(path) != nil else { continue }
            for line in try Files.text(path).split(separator: "\n") {
                try Files.write(String(line.prefix { $0 != " " }) + " " + open, to: path)
            }
        }
    }
}

extension CgroupHost {
    /// The controller of disks, which no sandbox needs that has no limit on them.
    static let disks: Set<String> = ["blkio", "io"]

    /// Whether a hierarchy is there for disks alone.
    static func isOfDisks(_ hierarchy: Hierarchy) -> Bool {
        hierarchy.controllers.isSubset(of: disks)
    }

    /// Whether the kernel can hold disks back, as far as that can be told without a group.
    public func limitsDisks() throws(KernelError) -> Bool {
        guard version == .v1 else { return controllers.contains("io") }
        return try Self.limitsDisks(version, hierarchies)
    }

    /// Whether there are files to limit disks with in groups that are not at the top.
    static func limitsDisks(
        _ version: Version, _ hierarchies: [Hierarchy]
    ) throws(KernelError) -> Bool {
        let (controller, file) =
            version == .v2 ? ("io", "io.max") : ("blkio", "blkio.throttle.read_bps_device")
        guard let found = hierarchies.first(where: { $0.controllers.contains(controller) }) else {
            return false
        }
        return try Files.status(found.base + "/" + file) != nil
    }
}
