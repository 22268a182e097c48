// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveDefinition
import VarveReconcile

/// `varve daemon`: keeps registries equal to repositories until it is stopped.
struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Keep registries equal to repositories, until stopped.",
        discussion: """
            Each repository is reconciled at start, when a local one's branches move, and at the latest on its interval. \
            On SIGTERM nothing more is begun, and layers that are being built have the grace period to finish; the next \
            start goes on from the finished ones. Exit status: 0 stopped, 1 it could not start.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE")) var config: String
    @Option(help: "text, or json for one object an event.") var format: OutputFormat = .text

    func run() async throws {
        FreeMemory.useOneArena()
        let settings = try DaemonSettings.read(file: config)
        let fleet = try await DaemonFleet(settings, format: format)
        try await untilSignalled(drain: (action: { fleet.drain() }, grace: settings.gracePeriod)) {
            try await fleet.run()
        }
        await fleet.release()
    }
}
