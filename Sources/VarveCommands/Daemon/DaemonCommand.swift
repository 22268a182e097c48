// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import VarveDefinition
import VarveModel

/// `varve daemon`: keeps registries equal to repositories until it is stopped.
struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Keep registries equal to repositories, until stopped.",
        discussion: """
            Each repository is reconciled at start, when a local one's branches move, and at the latest on its interval. \
            SIGTERM ends the running steps; finished layers stay, and the next start goes on from them. Exit status: 0 \
            stopped, 1 it could not start.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE")) var config: String
    @Option(help: "text, or json for one object an event.") var format: OutputFormat = .text

    func run() async throws {
        let settings = try read()
        let fleet = try await DaemonFleet(settings, format: format)
        try await untilSignalled { try await fleet.run() }
    }

    private func read() throws -> DaemonSettings {
        let path = GlobalOptions.absolute(config)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("failed to read configuration '\(path)': it is not there or cannot be read")
        }
        guard data.count <= 1 << 20 else { throw CommandError("configuration '\(path)' has more than 1 MiB") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let (settings, diagnostics) = DaemonSettings.read(String(decoding: data, as: UTF8.self), file: name)
        guard let settings else {
            for diagnostic in diagnostics {
                Output.note("\(diagnostic)" + (diagnostic.hint.map { "\n  hint: \($0)" } ?? ""))
            }
            throw CommandError("configuration '\(path)' is not valid")
        }
        return settings
    }
}
