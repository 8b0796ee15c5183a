import YAML

extension RunCard.Install {
    static var schema: Schema<Self> {
        Schema(
            start: Self(pypi: [], lock: ""),
            [
                Key(
                    "pypi", .list(of: .requirement), .required, \.pypi,
                    "Python packages, each `name==version`."),
                Key(
                    "lock", .lockName, .required, \.lock,
                    "The file beside the card that pins every package by hash."),
            ]
        ) { install, node, reader in
            if install.pypi.isEmpty { reader.report(node.place, "'pypi' is empty") }
        }
    }
}

extension RunCard.Setting {
    static var schema: Schema<Self> {
        Schema(
            start: Self(
                name: "", kind: .string, required: false, standard: nil, choices: [],
                writable: false, hint: ""),
            [
                Key("name", .name(), .required, \.name, "The name in `--set` and in `{NAME}`."),
                Key("kind", .choice, .standard("string"), \.kind, "What its value is."),
                Key(
                    "required", .boolean, .standard("false"), \.required,
                    "Whether the user must give it."),
                Key(
                    optional: "default", .text(limit: 4096), \.standard,
                    "What holds when the user does not give it."),
                Key(
                    "choices", .list(of: .text(limit: 256)), .standard("[]"), \.choices,
                    "The values a `choice` may have."),
                Key(
                    "writable", .boolean, .standard("false"), \.writable,
                    "Whether a `directory` is mounted writable."),
                Key(
                    "hint", .text(), .standard("\"\""), \.hint,
                    "One line that tells the user what to give."),
            ]
        ) { setting, node, reader in
            setting.checkShape(node, &reader)
        }
    }

    private func checkShape(_ node: Node, _ reader: inout Reader) {
        func report(_ key: String, _ message: String) {
            reader.report(node[key]?.place ?? node.place, message)
        }
        if name == "prefix" { report("name", "'prefix' is taken: it is where the packages are") }
        if (kind == .choice) != !choices.isEmpty {
            report("choices", "a 'choice' has 'choices', and nothing else has them")
        }
        if writable, kind != .directory { report("writable", "only a 'directory' is writable") }
        if required, standard != nil {
            report("default", "a required setting has no default: leave one of the two out")
        }
        guard let standard else { return }
        guard kind != .words else { return report("default", "'words' cannot have a default") }
        do throws(Wrong) {
            try check([standard])
        } catch {
            report("default", "the default is not accepted: \(error.message)")
        }
    }
}

extension RunCard.Credential {
    static var schema: Schema<Self> {
        Schema(
            start: Self(name: "", env: "", required: false, hint: ""),
            [
                Key(
                    "name", .name(), .required, \.name,
                    "The name the user gives it by."),
                Key(
                    "env", .variableName, .required, \.env,
                    "The environment variable that carries it."),
                Key(
                    "required", .boolean, .standard("false"), \.required,
                    "Whether the server cannot work without it."),
                Key("hint", .text(), .standard("\"\""), \.hint, "Where to get it."),
            ])
    }
}

extension Kind where Value == String {
    /// A Python requirement with exactly one version.
    static var requirement: Kind {
        Kind.text(limit: 128).named("`name==version`").checked { text throws(Wrong) in
            guard PinnedPackage(text) != nil else {
                throw Wrong("'\(printable(text))' is not of the form name==version")
            }
        }
    }

    /// A lock file's name, without a directory.
    static var lockName: Kind {
        Kind.text(limit: 64).named("file name").checked { name throws(Wrong) in
            let isFit = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.".utf8.contains(byte)
                }
            }
            guard isFit, name.hasSuffix(".lock"), !name.hasPrefix(".") else {
                throw Wrong("write the name of a file beside the card that ends in .lock")
            }
        }
    }

    /// The name of an environment variable that may be set for a server.
    static var variableName: Kind {
        Kind.text(limit: 128).named("variable name").checked { name throws(Wrong) in
            let isFit = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard isFit, let first = name.first, !first.isNumber else {
                throw Wrong("a variable's name has letters, digits and _, no digit first")
            }
        }
    }
}

extension Kind where Value == [RunCard.Variable] {
    static var environment: Kind {
        Kind<[(name: String, value: String)]>.map(.variableName, to: .text(limit: 4096))
            .map { $0.map { RunCard.Variable(name: $0.name, value: $0.value) } }
    }
}
