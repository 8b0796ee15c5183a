import YAML

extension RunCard {
    /// Names must be unique where one would hide another.
    func checkNames(_ node: Node, _ reader: inout Reader) {
        report(
            repeated: settings.map(\.name), "setting", node["settings"]?.items ?? [], &reader)
        report(
            repeated: credentials.map(\.name), "credential", node["credentials"]?.items ?? [],
            &reader)
        let variables = Set(environment.map(\.name))
        var carriers: Set<String> = []
        for (index, credential) in credentials.enumerated() {
            let place = node["credentials"]?.items[index]["env"]?.place ?? node.place
            if variables.contains(credential.env) {
                reader.report(place, "'\(credential.env)' is in 'environment' as well")
            }
            if !carriers.insert(credential.env).inserted {
                reader.report(place, "'\(credential.env)' carries another credential already")
            }
        }
    }

    private func report(
        repeated names: [String], _ what: String, _ nodes: [Node], _ reader: inout Reader
    ) {
        var seen: Set<String> = []
        for (name, node) in zip(names, nodes) where !seen.insert(name).inserted {
            reader.report(node["name"]?.place ?? node.place, "a second \(what) '\(name)'")
        }
    }

    /// Every placeholder must have a value whenever the card starts, and `words` stand alone.
    func checkPlaceholders(_ node: Node, _ reader: inout Reader) {
        guard let commandNode = node["command"], let first = command.first else {
            return reader.report(node["command"]?.place ?? node.place, "'command' is empty")
        }
        if first.isEmpty { reader.report(commandNode.place, "the command's first word is empty") }
        for (word, wordNode) in zip(command, commandNode.items) {
            check(word, wordNode, mayBeWords: true, &reader)
        }
        for variable in environment {
            guard let value = node["environment"]?[variable.name] else { continue }
            check(variable.value, value, mayBeWords: false, &reader)
        }
    }

    private func check(
        _ word: String, _ node: Node, mayBeWords: Bool, _ reader: inout Reader
    ) {
        let template: Template
        do throws(Template.Malformed) {
            template = try Template(word)
        } catch {
            return reader.report(node.place(ofCharacter: error.offset), error.message)
        }
        for (name, offset) in template.placeholders {
            let place = node.place(ofCharacter: offset)
            if name == "prefix" {
                if install == nil {
                    reader.report(place, "'{prefix}' needs 'install': nothing is installed")
                }
                continue
            }
            guard let setting = settings.first(where: { $0.name == name }) else {
                reader.report(place, unknownPlaceholder(name))
                continue
            }
            if let message = misuse(of: setting, alone: template.only != nil, mayBeWords) {
                reader.report(place, message)
            }
        }
    }

    private func unknownPlaceholder(_ name: String) -> String {
        let known = ["prefix"] + settings.map(\.name)
        let hint =
            nearest(name, among: known).map { "did you mean '{\($0)}'?" }
            ?? "write '{{' for a brace, or add the setting"
        return "unknown placeholder '{\(printable(name))}' (\(hint))"
    }

    private func misuse(of setting: Setting, alone: Bool, _ mayBeWords: Bool) -> String? {
        if setting.kind == .words {
            guard mayBeWords else { return "a 'words' setting has no place in a variable" }
            guard alone else { return "a 'words' setting must be a whole word of the command" }
            return nil
        }
        guard alone || setting.required || setting.standard != nil else {
            return "'{\(setting.name)}' may be absent: make it required, give it a default, "
                + "or let it be a whole word, which is then left out"
        }
        return nil
    }

    /// Words that the user chooses can name any program or option: the card must say so.
    func checkFreeCommand(_ node: Node, _ reader: inout Reader) {
        let isFree = settings.contains { setting in
            setting.kind == .words || command.first?.contains("{\(setting.name)}") ?? false
        }
        guard isFree != freeCommand else { return }
        reader.report(
            node["free_command"]?.place ?? node.place,
            isFree
                ? "the settings let users say what is run: add 'free_command: true'"
                : "'free_command: true' needs a setting of kind 'words'")
    }
}
