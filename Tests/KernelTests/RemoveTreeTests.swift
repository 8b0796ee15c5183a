import Glibc
import Testing

@testable import Kernel

@Suite struct RemoveTreeTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/corral-test-tree-\(getpid())-\(System.monotonicMicroseconds)"
        try Files.makeDirectory(path, mode: 0o700)
        try body(path)
        let left = try Files.status(path)
        #expect(left == nil)
    }

    @Test func `a path too long to be written down is no hiding place`() throws {
        try withDirectory { path in
            let name = String(repeating: "d", count: 200)
            var place = try Descriptor.open(path, O_RDONLY | O_DIRECTORY).release()
            for _ in 0..<200 {
                #expect(unsafe mkdirat(place, name, 0o700) == 0)
                let next = unsafe openat(place, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                #expect(next >= 0 && close(place) == 0)
                place = next
            }
            #expect(close(place) == 0)
            try Files.removeTree(path)
        }
    }

    @Test func `more names than a listing may hold are removed`() throws {
        try withDirectory { path in
            let name = String(repeating: "n", count: 200)
            for number in 0..<6_000 {
                try Files.create(path + "/\(name)\(number)", mode: 0o600, text: "")
            }
            #expect(throws: KernelError.self) { try Files.names(in: path) }
            try Files.removeTree(path)
        }
    }

    @Test func `a link goes and what it points to stays`() throws {
        try withDirectory { path in
            let inner = path + "/inner"
            for directory in [inner, path + "/kept"] {
                try Files.makeDirectory(directory, mode: 0o700)
            }
            try Files.create(path + "/kept/file", mode: 0o600, text: "")
            #expect(unsafe symlink("../kept", inner + "/link") == 0)
            try Files.removeTree(inner)
            let kept = try Files.status(path + "/kept/file")
            #expect(kept != nil)
            try Files.removeTree(path)
            // A second time there is nothing to do.
            try Files.removeTree(path)
        }
    }
}
