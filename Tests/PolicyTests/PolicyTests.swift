import NetworkRules
import Policy
import Testing
import YAML

@Suite struct PolicyTests {
    private func read(_ text: String) throws -> Policy {
        try Policy.read(Array(text.utf8), file: "p.yaml")
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try Policy.read(Array(text.utf8), file: "p.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test func `a policy with only a name has every default`() throws {
        let policy = try read("version: 1\nname: plain\n")
        #expect(policy.name == "plain")
        #expect(policy.limits.memory == .init(standard: 128 << 20, max: 512 << 20))
        #expect(policy.limits.cpuMillicores == 1000)
        #expect(policy.limits.cpuTime == .seconds(600))
        #expect(policy.limits.processes == 128)
        #expect(policy.limits.openFiles == 256)
        #expect(policy.limits.fileSize == 64 << 20)
        #expect(policy.limits.scratch == 64 << 20)
        #expect(policy.limits.callTimeout == .init(standard: .seconds(30), max: .seconds(600)))
        #expect(policy.limits.startTimeout == .seconds(60))
        #expect(policy.limits.idleTimeout == .seconds(300))
        #expect(policy.limits.life == nil && policy.limits.addressSpace == nil)
        #expect(policy.limits.response == 8 << 20)
        #expect(policy.limits.installMemory == 512 << 20)
        #expect(policy.limits.installTimeout == .seconds(300))
        #expect(
            policy.filesystem.read == [
                "/usr", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl", "/etc/resolv.conf",
            ])
        #expect(policy.filesystem.write == [])
        #expect(policy.network == .init(deny: AddressSet.allCases))
        #expect(!policy.network.isNetworked && policy.network.loopback == .none)
        #expect(
            policy.installNetwork.allow.map(\.text) == [
                "pypi.org:443", "files.pythonhosted.org:443",
            ])
        #expect(policy.installNetwork.deny == AddressSet.allCases)
        #expect(policy.syscalls == "default")
        #expect(policy.landlock == .enforce && policy.timeNamespace == .enforce)
        #expect(policy.registries.pypi == "https://pypi.org/simple")
    }

    @Test func `a limit takes one value for both, or a default and a maximum`() throws {
        let policy = try read(
            """
            version: 1
            name: p
            limits:
              memory: 256MiB
              call_timeout: {default: 1m, max: 1h}
            install: {memory: 1GiB, registries: {pypi: "https://mirror.example/simple"}}
            """)
        #expect(policy.limits.memory == .init(standard: 256 << 20, max: 256 << 20))
        #expect(policy.limits.callTimeout == .init(standard: .seconds(60), max: .seconds(3600)))
        #expect(policy.limits.installMemory == 1 << 30)
        #expect(policy.limits.installTimeout == .seconds(300))
        #expect(policy.registries.pypi == "https://mirror.example/simple")
    }

    @Test func `a life and an address space hold only when they are typed`() throws {
        let policy = try read(
            "version: 1\nname: p\nlimits: {life: 8h, address_space: 4GiB}\n")
        #expect(policy.limits.life == .seconds(28_800))
        #expect(policy.limits.addressSpace == 4 << 30)
        #expect(
            mistakes("version: 1\nname: p\nlimits: {life: 500ms, address_space: 1MiB}\n") == [
                "p.yaml:3:16: '500ms' is not accepted: must be time, 1s to 365d",
                "p.yaml:3:38: '1MiB' is not accepted: must be size, 64MiB to 64TiB",
            ])
    }

    @Test func `disks are limited only when that is typed, each rate on its own`() throws {
        #expect(try read("version: 1\nname: p\n").limits.io == nil)
        let some = try read("version: 1\nname: p\nlimits: {io: {read: 8MiB, writes: 100}}\n")
        #expect(some.limits.io?.read == 8 << 20 && some.limits.io?.writes == 100)
        #expect(some.limits.io?.write == nil && some.limits.io?.reads == nil)
        #expect(some.place(of: "limits.io").description == "p.yaml:3:14")
        #expect(
            mistakes(
                """
                version: 1
                name: p
                limits:
                  io: {read: 1KiB, write: 8, reads: 1, writes: many, rbps: 1}
                """) == [
                    "p.yaml:4:14: '1KiB' is not accepted: must be size, 1MiB to 1TiB",
                    "p.yaml:4:27: '8' is not accepted: must be size, 1MiB to 1TiB",
                    "p.yaml:4:37: '1' is not accepted: must be whole number, 10 to 1000000",
                    "p.yaml:4:48: 'many' is not accepted: a whole number in decimal is "
                        + "needed, without leading zeros",
                    "p.yaml:4:54: unknown key 'rbps' (known here: read, write, reads, writes)",
                ])
        #expect(
            mistakes("version: 1\nname: p\nlimits: {io: {}}\n") == [
                "p.yaml:3:14: needs one of read, write, reads and writes"
            ])
        #expect(
            mistakes("version: 1\nname: p\nlimits: {io: 8MiB}\n") == [
                "p.yaml:3:14: must be a mapping with keys, not text"
            ])
    }

    @Test func `every written key can be pointed at, and others at the file's beginning`() throws {
        let policy = try read("version: 1\nname: p\nnetwork:\n  deny: [private, metadata]\n")
        #expect(policy.place(of: "network.deny[1]").description == "p.yaml:4:19")
        #expect(policy.place(of: "limits.memory").description == "p.yaml:1:1")
    }

    @Test func `all mistakes of a policy come at once`() {
        #expect(
            mistakes(
                """
                version: 2
                nmae: p
                limits:
                  memory: {default: 1GiB, max: 512MiB}
                  cpu_time: 1500ms
                  proceses: 5
                filesystem: {read: [/, /proc/self, usr], write: [/srv], extra: 1}
                network: {deny: [privat], allow: [example.com]}
                install: {registries: {pypi: "http://pypi.org"}}
                """) == [
                    "p.yaml:1:1: missing key 'name' (takes name, a-z 0-9 - _, at most 32)",
                    "p.yaml:1:10: '2' is not accepted: this program reads version 1",
                    "p.yaml:2:1: unknown key 'nmae' (did you mean 'name'?)",
                    "p.yaml:4:21: 'default' is above 'max'",
                    "p.yaml:5:13: '1500ms' is not accepted: must be a multiple of 1s",
                    "p.yaml:6:3: unknown key 'proceses' (did you mean 'processes'?)",
                    "p.yaml:7:21: '/' would show the whole host: list the trees that are needed",
                    "p.yaml:7:24: '/proc' of the host is never mounted: a sandbox has its own or "
                        + "none",
                    "p.yaml:7:36: 'usr' is not accepted: must be an absolute path, beginning with "
                        + "/",
                    "p.yaml:7:57: unknown key 'extra' (known here: read, write)",
                    "p.yaml:8:18: 'privat' is not accepted: did you mean 'private'?",
                    "p.yaml:8:35: 'example.com' is not accepted: write host:port, address:port or "
                        + "cidr:port",
                    "p.yaml:9:30: write https://host/path, without user, query or fragment",
                ])
    }

    @Test func `a wall is enforced or off, and nothing between`() throws {
        let policy = try read("version: 1\nname: p\nlandlock: off\ntime_namespace: off\n")
        #expect(policy.landlock == .off && policy.timeNamespace == .off)
        #expect(policy.place(of: "time_namespace").description == "p.yaml:4:17")
        let wrong = mistakes("version: 1\nname: p\ntime_namespace: false\nlandlock: Off\n")
        #expect(wrong.count == 2)
        #expect(wrong.first?.hasPrefix("p.yaml:3:17: 'false' is not accepted") == true)
        #expect(wrong.last?.hasPrefix("p.yaml:4:11: 'Off' is not accepted") == true)
    }

    @Test func `a tree cannot be both readable and writable`() {
        #expect(
            mistakes("version: 1\nname: p\nfilesystem: {read: [/srv], write: [/srv]}\n") == [
                "p.yaml:3:36: '/srv' is in 'read' as well; it can only be in one"
            ])
    }
}
