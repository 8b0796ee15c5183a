import YAML

extension RunCard {
    /// Where the card's packages are inside its sandbox: what `{prefix}` stands for.
    public static let prefix = "/opt/card"

    /// A host directory that a setting names, mounted at its own path.
    public struct Directory: Sendable, Equatable {
        /// The absolute path in its shortest form.
        public var path: String
        /// Whether it is mounted writable.
        public var writable: Bool

        /// Describes a directory.
        public init(path: String, writable: Bool) {
            self.path = path
            self.writable = writable
        }
    }

    /// The words to execute: placeholders filled in, `words` settings spliced, words that stand
    /// for an absent setting left out.
    public func command(settings given: [String: [String]]) throws(SettingError) -> [String] {
        let values = try values(given)
        var words: [String] = []
        for word in command {
            let template = try template(word)
            guard let name = template.only, name != "prefix" else {
                words.append(filled(template, values))
                continue
            }
            guard let value = values[name] else { continue }
            try checkNoOption(name, value)
            words += value
        }
        return words
    }

    /// The server's fixed variables with placeholders filled in; one whose only content is an
    /// absent setting is left out.
    public func environment(settings given: [String: [String]]) throws(SettingError) -> [Variable] {
        let values = try values(given)
        var variables: [Variable] = []
        for variable in environment {
            let template = try template(variable.value)
            if let name = template.only, name != "prefix", values[name] == nil { continue }
            variables.append(Variable(name: variable.name, value: filled(template, values)))
        }
        return variables
    }

    /// The host directories that the settings name, in the card's order.
    public func directories(settings given: [String: [String]]) throws(SettingError) -> [Directory]
    {
        let values = try values(given)
        return settings.filter { $0.kind == .directory }.compactMap { setting in
            values[setting.name].map { Directory(path: $0[0], writable: setting.writable) }
        }
    }

    /// A value that is a whole word must not turn into one of the server's options.
    private func checkNoOption(_ name: String, _ value: [String]) throws(SettingError) {
        let kind = settings.first { $0.name == name }?.kind
        guard kind == .string, value.first?.hasPrefix("-") ?? false else { return }
        throw SettingError(
            card: self.name, setting: name, cause: "must not begin with '-', it would be an option")
    }

    private func template(_ word: String) throws(SettingError) -> Template {
        do throws(Template.Malformed) {
            return try Template(word)
        } catch {
            // A card that was read has none of these; one made in code is told so.
            throw SettingError(card: name, setting: word, cause: error.message)
        }
    }

    private func filled(_ template: Template, _ values: [String: [String]]) -> String {
        template.filled { name in
            name == "prefix" ? Self.prefix : values[name]?.first ?? ""
        }
    }
}
