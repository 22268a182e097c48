// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarveReconcile

/// `varve history IMAGE`: all that was done for an image, newest first.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show every build of an image, newest first.",
        discussion: "Reads the notes of the repository, wherever they hang, and the journal.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "The image.") var image: String
    @Option(help: ArgumentHelp("Show at most so many.", valueName: "NUMBER")) var limit: Int?
    @Option(help: "text, or json for the records as they are kept.") var format: OutputFormat = .text

    func run() async throws {
        let name = try ImageName(image)
        let (limit, format) = (limit, format)
        if try await server.ask(global, { try await $0.showHistory(of: name, limit: limit, format) }) { return }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        var records = Array(try await workspace.survey.allRecords(.image(name)).reversed())
        if let limit { records = Array(records.prefix(max(0, limit))) }
        guard !records.isEmpty else {
            throw CommandError("no record of an image '\(name)'; see 'varve status'")
        }
        switch format {
        case .json: try Output.json(records)
        case .text: Self.table(records).print()
        }
    }

    /// The records as people read them.
    static func table(_ records: [BuildRecord]) -> Table {
        var table = Table("START", "STATUS", "SECONDS", "COMMIT", "BUILT", "BECAUSE", "REFERENCE")
        for record in records {
            let built = record.layers.filter { $0.action == .built }.map(\.kind.rawValue).joined(separator: " ")
            table.add(
                record.start.description, record.status.rawValue, String(record.wholeSeconds),
                record.commit.short, built.isEmpty ? "-" : built, because(record), singleLine(record.reference ?? "-"))
        }
        return table
    }

    private static func because(_ record: BuildRecord) -> String {
        let reasons = record.reasons.map(\.description).joined(separator: ", ")
        let text = record.error.map { $0.message } ?? reasons
        return text.isEmpty ? "-" : singleLine(text, limit: 120)
    }
}
