// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import VarveServer

/// `varve token`: makes a token for the daemon's API.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make a token for the daemon's HTTP API.",
        discussion: """
            Prints the token, which is kept nowhere and goes to its user, and the entry for server.tokens of the daemon's \
            configuration, which holds the token's SHA-256 alone.
            """)

    @Option(help: ArgumentHelp("The user's name, as owners of images name it.", valueName: "NAME")) var user: String
    @Option(help: ArgumentHelp("The name for people. Default: the user.", valueName: "NAME")) var name: String?
    @Option(help: ArgumentHelp("The address, for commits in the user's name.", valueName: "ADDRESS")) var email: String?
    @Option(help: ArgumentHelp("A group of the user; may be repeated.", valueName: "NAME")) var group: [String] = []
    @Option(help: ArgumentHelp("read or act; may be repeated. Default: read.", valueName: "SCOPE"))
    var scope: [Scope] = []
    @Option(help: "text or json.") var format: OutputFormat = .text

    private struct Entry: Encodable {
        var user: String
        var name: String?
        var email: String?
        var groups: [String]?
        var scopes: [Scope]
        var sha256: String
    }

    private struct Answer: Encodable {
        var token: String
        var entry: Entry
    }

    func run() throws {
        let token = AccessToken()
        let scopes = Scope.allCases.filter { scope.isEmpty ? $0 == .read : scope.contains($0) }
        let entry = Entry(
            user: user, name: name, email: email, groups: group.isEmpty ? nil : group, scopes: scopes,
            sha256: token.sha256)
        switch format {
        case .json: try Output.json(Answer(token: token.text, entry: entry))
        case .text:
            Output.line("The token, for the user; it is shown this once:")
            Output.line("  \(token.text)")
            Output.line("The entry for server.tokens in the daemon's configuration:")
            // JSON is YAML too, so whatever the names hold stays inside their quotation marks.
            Output.line("  - \(try Output.jsonText(entry, pretty: false))")
        }
    }
}

extension Scope: ExpressibleByArgument {}
