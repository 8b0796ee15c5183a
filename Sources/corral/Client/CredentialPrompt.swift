internal import Control
internal import Kernel

/// Gets the values of a card's credentials: never from the command line, where others could read
/// them.
struct CredentialPrompt {
    private let card: Card
    private let connection: String

    /// For one card; `connection` is what errors are about.
    init(_ card: Card, connection: String) {
        self.card = card
        self.connection = connection
    }

    /// Asks for the named credentials and, when a person is there, for required ones beside.
    func values(_ names: [String]) throws(CommandFailure) -> [String: Secret] {
        var wanted = names
        let isInteractive = Console.shared.isInteractive
        for credential in card.credentials
        where credential.required && isInteractive && !wanted.contains(credential.name) {
            wanted.append(credential.name)
        }
        var values: [String: Secret] = [:]
        for name in wanted where values[name] == nil {
            values[name] = try isInteractive ? ask(name) : read(name)
        }
        return values
    }

    private func ask(_ name: String) throws(CommandFailure) -> Secret {
        let hint = card.credentials.first { $0.name == name }?.hint ?? ""
        let note = hint.isEmpty ? "" : " (\(sanitized(hint)))"
        do {
            return try secret(
                Terminal.readSecret(prompt: "\(name)\(note): ", limit: Limit.secretBytes), name)
        } catch let error as KernelError {
            throw failure(name, error.description)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw failure(name, "\(error)")
        }
    }

    private func read(_ name: String) throws(CommandFailure) -> Secret {
        let line: [UInt8]
        do {
            line = try Terminal.readLine(Console.shared.input, limit: Limit.secretBytes)
        } catch {
            throw failure(name, error.description)
        }
        return try secret(line, name)
    }

    private func secret(_ bytes: [UInt8], _ name: String) throws(CommandFailure) -> Secret {
        let line = bytes.last == 0x0D ? bytes.dropLast() : bytes[...]
        guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
            throw failure(name, "nothing, or no UTF-8, was given")
        }
        return Secret(text)
    }

    private func failure(_ name: String, _ cause: String) -> CommandFailure {
        CommandFailure(
            .usage, "cannot connect '\(connection)': credential '\(name)': \(cause)",
            hint: "type it when asked, or give it as a line of standard input")
    }
}
