// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import VarveBuild
import VarveDefinition
import VarveModel
import VarveReconcile

/// `varve gc`: removes from the state directory what is over its budget.
struct GcCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Remove what the state directory need not keep.",
        discussion: """
            Layers of what is defined, and of the last good build of each image, stay; the rest goes oldest use first until \
            the caches are within their budget and the reserve is free. A layer that is missing is pulled or built again. A \
            daemon collects by itself, and its state directory is locked; --dry-run works beside it.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("A daemon's configuration file, for its stateDir and disk.", valueName: "FILE"))
    var config: String?
    @Option(
        help: ArgumentHelp("What caches may take, for instance 10GiB; 0 keeps nothing unneeded.", valueName: "SIZE"))
    var cache: String?
    @Flag(help: "Tell what would be removed, and remove nothing.") var dryRun = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func validate() throws {
        guard cache.map({ DiskSettings.bytes($0) != nil }) ?? true else {
            throw ValidationError("--cache takes a size such as 10GiB")
        }
    }

    func run() async throws {
        let settings = try config.map { try DaemonSettings.read(file: $0) }
        var limits =
            try settings.map { DiskLimits(reserve: $0.disk.reserve, cache: $0.disk.cache) } ?? .ofEnvironment()
        if let bytes = cache.flatMap(DiskSettings.bytes) { limits.cache = bytes }
        let path = settings?.stateDirectory.map(GlobalOptions.absolute) ?? global.stateDirectory
        let state = StateDirectory(path: path, repository: "")
        guard access(path, F_OK) == 0 else {
            throw CommandError("failed to collect '\(singleLine(path))': there is no such state directory")
        }
        let keeper = DiskKeeper(
            stateDirectory: path, limits: limits,
            caches: StateCaches(stateDirectory: path, environment: ProcessInfo.processInfo.environment),
            now: { Timestamp(seconds: time(nil)) })
        let report: CollectionReport
        if dryRun {
            report = try await keeper.collect(isDryRun: true)
        } else {
            let lock = try StateLock(state)
            report = try await untilSignalled { try await keeper.collect(isDryRun: false) }
            extendLifetime(lock)
        }
        try show(report)
    }

    private struct Answer: Encodable {
        var cacheLimit: Int
        var dryRun: Bool
        var free: Int
        var kinds: [CollectionReport.Line]
        var removed: [CollectionReport.Removed]
        var reserve: Int
    }

    private func show(_ report: CollectionReport) throws {
        if format == .json {
            try Output.json(
                Answer(
                    cacheLimit: report.limits.cache, dryRun: report.isDryRun, free: report.free, kinds: report.lines,
                    removed: report.removed, reserve: report.limits.reserve))
            return
        }
        var table = Table("KIND", "FOUND", "SIZE", report.isDryRun ? "WOULD GO" : "REMOVED", "FREED")
        for line in report.lines {
            table.add(
                line.kind.rawValue, String(line.found), sizeText(line.bytes), String(line.removed),
                sizeText(line.freed))
        }
        table.print()
        Output.note("\(sizeText(report.free)) are free; builds need \(sizeText(report.limits.reserve))")
    }
}
