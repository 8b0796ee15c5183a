import YAML

extension Kind where Value == String {
    /// A host tree that may be mounted into a sandbox.
    static var hostTree: Kind {
        Kind.path.checked { path throws(Wrong) in
            guard path != "/" else {
                throw Wrong("'/' would show the whole host: list the trees that are needed")
            }
            for own in ["/proc", "/sys", "/dev"] where path == own || path.hasPrefix(own + "/") {
                throw Wrong("'\(own)' of the host is never mounted: a sandbox has its own or none")
            }
        }
    }

    /// A package index: `https://host/path`, without user, query or fragment.
    static var indexURL: Kind {
        Kind.text().named("URL, https").checked { url throws(Wrong) in
            let allowed = url.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7f && !"@?#\"'\\`<>{}|^".utf8.contains(byte)
            }
            guard url.hasPrefix("https://"), url.utf8.count > 8, allowed else {
                throw Wrong("write https://host/path, without user, query or fragment")
            }
        }
    }
}
