import Glibc
import Kernel
import Testing

@Suite struct SweepTests {
    @Test(.enabled(if: Host.canLaunch, Host.reason))
    func `the sweeper's hands leave nothing of a tree and follow no link out of it`() throws {
        let top = "/tmp/corral-test-sweep-\(getpid())-\(System.monotonicMicroseconds)"
        let tree = top + "/tree"
        let kept = top + "/kept"
        for directory in [top, tree, kept] { try Files.makeDirectory(directory, mode: 0o700) }
        try Files.create(kept + "/file", mode: 0o600, text: "")
        var place = tree
        for depth in 0..<40 {
            place += "/\(depth)"
            try Files.makeDirectory(place, mode: 0o700)
            for number in 0..<20 {
                try Files.create(place + "/file-\(number)", mode: 0o600, text: "x")
            }
            #expect(unsafe symlink(kept, place + "/link") == 0)
        }
        let pipe = try Pipe()
        let sweeper = try Child.spawn(
            try #require(Host.launcher), arguments: ["sweep", "tree:" + tree], environment: [],
            descriptors: [pipe.read.raw])
        #expect(try Files.status(place) != nil)
        _ = consume pipe
        _ = try poll([Interest(sweeper.pidfd.raw, readable: true)], milliseconds: nil)
        let ended = try sweeper.reap()
        #expect(ended?.status == 0)
        #expect(try Files.status(tree) == nil)
        #expect(try Files.status(kept + "/file") != nil)
        try Files.removeTree(top)
    }
}
