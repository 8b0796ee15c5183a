import Configuration
import Glibc
import Kernel
import Testing
import YAML

@Suite struct TrustedFileTests {
    private func message(_ body: () throws(Mistake) -> Void) -> String {
        do throws(Mistake) {
            try body()
            return "accepted"
        } catch {
            return error.message
        }
    }

    @Test func `an owner's file that nobody else may write is read`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.yaml"
            try write("hello", to: path)
            #expect(try TrustedFile.read(path, .owners) == Array("hello".utf8))
        }
    }

    @Test(arguments: [0o664, 0o646, 0o666, 0o622] as [UInt32])
    func `a file that others may write is refused, unless it is only checked`(
        mode: UInt32
    ) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.yaml"
            try write("hello", to: path, mode: mode)
            let found = message { () throws(Mistake) in _ = try TrustedFile.read(path, .owners) }
            #expect(
                found == "cannot trust '\(path)': others than its owner may write it "
                    + "(chmod go-w '\(path)')")
            #expect(try TrustedFile.read(path, .anybody).count == 5)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func `a file or directory of another user is refused`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.yaml"
            try write("hello", to: path)
            try Files.setOwner(path, uid: 12345, gid: 0)
            let file = message { () throws(Mistake) in _ = try TrustedFile.read(path, .owners) }
            #expect(file.contains("user 12345 owns it (chown root '\(path)')"))
            try Files.setOwner(directory, uid: 12345, gid: 0)
            let list = message { () throws(Mistake) in
                _ = try TrustedFile.names(in: directory, .owners)
            }
            #expect(list.contains("user 12345 owns it (chown root '\(directory)')"))
        }
    }

    @Test func `links, directories, FIFOs and large files are refused`() throws {
        try withTemporaryDirectory { directory in
            try write("hello", to: directory + "/a")
            // Each call's path is a string that lives for the call.
            #expect(unsafe symlink("a", directory + "/link") == 0)
            #expect(unsafe mkfifo(directory + "/fifo", 0o600) == 0)
            try write(String(repeating: "#", count: 257 << 10), to: directory + "/large")
            let found = ["link", "fifo", "large", "", "gone"].map { name in
                message { () throws(Mistake) in
                    _ = try TrustedFile.read(directory + "/" + name, .owners)
                }
            }
            #expect(found[0].contains("a symbolic link is not accepted"))
            #expect(found[1].contains("not a regular file"))
            #expect(found[2].contains("larger than 256 KiB"))
            #expect(found[3].contains("not a regular file"))
            #expect(found[4].contains("open: No such file or directory"))
        }
    }

    @Test func `a directory above that others may write is refused, a sticky one is not`() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/open/etc", mode: 0o755)
            let path = directory + "/open/etc"
            // /tmp above all of it is sticky, so that nobody can exchange what is not theirs.
            try TrustedFile.checkDirectory(path, .owners)
            try Files.setMode(directory + "/open", 0o777)
            let found = message { () throws(Mistake) in
                try TrustedFile.checkDirectory(path, .owners)
            }
            #expect(found.contains("cannot trust '\(directory)/open'"))
            try Files.setMode(directory + "/open", 0o1777)
            try TrustedFile.checkDirectory(path, .owners)
            // The directory itself may not be sticky and open: anybody could add a file.
            try Files.setMode(path, 0o1777)
            #expect(
                message { () throws(Mistake) in try TrustedFile.checkDirectory(path, .owners) }
                    .contains("others than its owner"))
        }
    }

    @Test func `what a link leads to is checked, not the link`() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/open/etc", mode: 0o755)
            #expect(unsafe symlink("open/etc", directory + "/link") == 0)
            try TrustedFile.checkDirectory(directory + "/link", .owners)
            try Files.setMode(directory + "/open", 0o777)
            #expect(
                message { () throws(Mistake) in
                    try TrustedFile.checkDirectory(directory + "/link", .owners)
                }.contains("cannot trust '\(directory)/open'"))
        }
    }

    @Test func `hidden names are passed over`() throws {
        try withTemporaryDirectory { directory in
            for name in ["b.yaml", "a.yaml", ".a.yaml.swp", ".#b.yaml"] {
                try write("", to: directory + "/" + name)
            }
            #expect(try TrustedFile.names(in: directory, .owners) == ["a.yaml", "b.yaml"])
        }
    }
}
