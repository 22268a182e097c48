// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import VarveModel

/// How a command reaches a daemon, which it then asks in place of reading the repository itself.
///
/// A flag beats the environment; a repository that is named by `--repo` beats a daemon that the environment names.
struct ServerOptions: ParsableArguments {
    @Option(
        name: .customLong("server"),
        help: ArgumentHelp("The daemon to ask. Default: $VARVE_SERVER, else none.", valueName: "URL"))
    var serverFlag: String?

    @Option(
        name: .customLong("token-file"),
        help: ArgumentHelp(
            "The file that holds the token for the daemon. Default: $VARVE_TOKEN_FILE, else the token in $VARVE_TOKEN.",
            valueName: "FILE"))
    var tokenFileFlag: String?

    @Option(
        name: .customLong("repository"),
        help: ArgumentHelp("Which of the daemon's repositories, where it has several.", valueName: "NAME"))
    var repository: String?

    /// How large a file with a token can be.
    private static let tokenLimit = 65_536

    /// Asks the daemon that the options name.
    ///
    /// - Returns: Whether there is one; the command goes on by itself where there is none.
    func ask(_ global: GlobalOptions, _ body: (DaemonClient) async throws -> Void) async throws -> Bool {
        guard let address = try address(global) else {
            if repository != nil { throw ValidationError("--repository goes with --server") }
            return false
        }
        let client = try DaemonClient(address, token: try token(), repository: repository)
        do { try await body(client) } catch {
            try? await client.close()
            throw error
        }
        try await client.close()
        return true
    }

    private func address(_ global: GlobalOptions) throws -> DaemonAddress? {
        if serverFlag != nil, global.repositoryFlag != nil {
            throw ValidationError("--server and --repo exclude each other: a daemon has its own repositories")
        }
        let given = serverFlag ?? (global.repositoryFlag == nil ? GlobalOptions.environment("VARVE_SERVER") : nil)
        return try given.map { try DaemonAddress($0) }
    }

    /// The token; nil where none is configured, which a daemon answers as it likes.
    private func token() throws -> String? {
        let text: String
        if let path = tokenFileFlag ?? GlobalOptions.environment("VARVE_TOKEN_FILE") {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw CommandError("failed to read token file '\(path)': \(String(cString: strerror(errno)))")
            }
            defer { close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: Self.tokenLimit)
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else {
                throw CommandError("failed to read token file '\(path)': \(String(cString: strerror(errno)))")
            }
            text = String(decoding: buffer[..<count], as: UTF8.self)
        } else if let given = GlobalOptions.environment("VARVE_TOKEN") {
            text = given
        } else {
            return nil
        }
        let token = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        // What is no token could split the header; it is not repeated, because it may be half of one.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandError("the token for the daemon is empty or holds other than printable ASCII")
        }
        return token
    }
}

/// Where a daemon's API is: the URL without slashes at its end.
struct DaemonAddress: CustomStringConvertible {
    let description: String
    /// Whether what is sent can be read on its way.
    let isInTheClear: Bool

    /// Reads an http or https URL, which may have a path.
    init(_ text: String) throws {
        let lowered = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: { lowered.hasPrefix($0) }) else {
            throw ValidationError("--server takes an http or https URL")
        }
        let rest = text.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" }
        guard !host.contains("@") else {
            throw ValidationError("the daemon's URL holds credentials; give the token by --token-file")
        }
        guard !host.isEmpty, rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !rest.contains("?"),
            !rest.contains("#")
        else { throw ValidationError("--server takes the URL of a daemon, such as https://varve.example.com") }
        var trimmed = rest
        while trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        description = scheme + trimmed
        let name = String(host.hasPrefix("[") ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" })
        isInTheClear =
            scheme == "http://" && name != "localhost" && name != "[::1" && !name.hasPrefix("127.")
    }
}
