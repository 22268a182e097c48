// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarveReconcile

/// `varve queue`: what is being built, what waits, and what is suspended.
struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Show what is being built and what waits.",
        discussion: """
            Without --server it shows what the state directory tells: what is being built on this machine, and what is \
            suspended.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Option(help: "text or json.") var format: OutputFormat = .text

    private struct Answer: Encodable {
        struct Running: Encodable {
            var image: String
            var step: String
            var start: Timestamp
        }
        var running: [Running]
        var suspended: [ImageName]
    }

    func run() async throws {
        let format = format
        if try await server.ask(global, { try await $0.showQueue(format) }) { return }
        let workspace = try await Workspace(global)
        let running = RunningImages.read(workspace.state).sorted { $0.key < $1.key }
        let suspended = try workspace.state.suspendedImages()
        switch format {
        case .json:
            try Output.json(
                Answer(
                    running: running.map { .init(image: $0.key, step: $0.value.step, start: $0.value.start) },
                    suspended: suspended))
        case .text:
            var table = Table("IMAGE", "STATE", "SINCE", "DETAIL")
            for (image, entry) in running { table.add(image, "building", entry.start.description, entry.step) }
            for image in suspended { table.add(image.value, "suspended", "-", "") }
            table.print()
        }
    }
}
