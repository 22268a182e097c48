// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import VarveModel
import VarveServer

/// What reading commands print of a daemon's answers: the same columns as without one.
///
/// Texts of the daemon go through `singleLine`: it shows what definitions and builds said.
extension DaemonClient {
    private func shown(_ text: String?) -> String { singleLine(redacted(text ?? "-"), limit: 2_000) }

    /// Prints an answer as JSON with sorted keys.
    private func print(_ bytes: [UInt8]) throws { try Output.json(Self.decode(JSONNode.self, bytes)) }

    func showStatus(_ format: OutputFormat) async throws {
        let bytes = try await json(["images"])
        guard format == .text else { return try print(bytes) }
        var table = Table("IMAGE", "STATUS", "BUILT", "REFERENCE", "DETAIL")
        for row in try Self.decode([ServedImage].self, bytes) {
            table.add(
                shown(row.name), shown(row.status), shown(row.built), shown(row.reference), shown(row.detail ?? ""))
        }
        table.print()
    }

    func showHistory(of image: ImageName, limit: Int?, _ format: OutputFormat) async throws {
        let query = limit.map { [("limit", String(max(1, min($0, 1_000))))] } ?? []
        let bytes = try await json(["images", image.value, "builds"], query)
        switch format {
        case .json: try print(bytes)
        case .text: HistoryCommand.table(try Self.decode([BuildRecord].self, bytes)).print()
        }
    }

    /// - Throws: `ExitCode` as `varve plan` without a daemon.
    func showPlan(of names: [ImageName], _ format: OutputFormat) async throws {
        let bytes = try await json(["plan"])
        var plan = try Self.decode(ServedPlan.self, bytes)
        for name in names where !plan.images.contains(where: { $0.name == name.value }) {
            throw CommandError("no image '\(name)'; see 'varve status'")
        }
        if !names.isEmpty { plan.images = plan.images.filter { image in names.contains { $0.value == image.name } } }
        switch format {
        case .json: try print(names.isEmpty ? bytes : Self.filtered(bytes, names))
        case .text: show(plan, isWhole: names.isEmpty)
        }
        if plan.images.contains(where: { ["invalid", "blocked"].contains($0.action) }) { throw ExitCode(1) }
        if plan.images.contains(where: { $0.action != "none" }) { throw ExitCode(2) }
    }

    private static func filtered(_ bytes: [UInt8], _ names: [ImageName]) throws -> [UInt8] {
        guard case .object(var plan) = try decode(JSONNode.self, bytes), case .list(let images) = plan["images"] else {
            return bytes
        }
        plan["images"] = .list(
            images.filter { image in
                guard case .object(let members) = image, case .text(let name) = members["name"] else { return false }
                return names.contains { $0.value == name }
            })
        return Array(try Output.jsonText(JSONNode.object(plan), pretty: false).utf8)
    }

    private func show(_ plan: ServedPlan, isWhole: Bool) {
        for mistake in plan.errors where isWhole || plan.images.contains(where: { $0.action == "invalid" }) {
            let place = mistake.line > 0 ? ":\(mistake.line):\(mistake.column)" : ""
            let hint = mistake.hint.map { " (\($0))" } ?? ""
            Output.line(shown("\(mistake.file)\(place): \(mistake.message)\(hint) [\(mistake.code)]"))
        }
        for image in plan.images where image.action != "none" {
            guard image.action == "build" else {
                Output.line(shown("\(image.name): \(image.action)" + (image.cause.map { ": \($0)" } ?? "")))
                continue
            }
            Output.line(shown("\(image.name): build"))
            for reason in image.reasons { Output.line(shown("  because \(reason)")) }
            for layer in image.layers {
                let key = layer.key.map { " " + ($0.split(separator: ":").last ?? "").prefix(12) } ?? ""
                Output.line(shown("  \(layer.action) \(layer.kind)\(key)" + (layer.platform.map { " " + $0 } ?? "")))
            }
        }
        let settled = plan.images.filter { $0.action == "none" }.count
        Output.line("\(settled) of \(plan.images.count) image\(plan.images.count == 1 ? "" : "s") as defined")
    }

    func showQueue(_ format: OutputFormat) async throws {
        let bytes = try await json(["queue"])
        guard format == .text else { return try print(bytes) }
        let queue = try Self.decode(ServedQueue.self, bytes)
        var table = Table("IMAGE", "STATE", "SINCE", "DETAIL")
        for entry in queue.running { table.add(shown(entry.image), "building", shown(entry.start), shown(entry.step)) }
        for entry in queue.queued {
            table.add(shown(entry.image), "queued", shown(entry.since), shown("\(entry.urgency), \(entry.owner)"))
        }
        for image in queue.suspended { table.add(shown(image), "suspended", "-", "") }
        table.print()
    }

    func showGraph(_ format: OutputFormat) async throws {
        let bytes = try await json(["graph"])
        guard format == .text else { return try print(bytes) }
        let images = try Self.decode(ServedGraph.self, bytes).images
        GraphView(
            images.map {
                GraphView.Image(
                    name: shown($0.name), status: shown($0.status), parent: $0.parent.map { shown($0) },
                    base: $0.base.map { shown($0) }, layers: $0.layers)
            }
        ).table().print()
    }

    // MARK: Logs

    /// Prints the log of an image's newest build, or of the one that `build` begins to name.
    func showLog(of image: ImageName, build: String?, follow: Bool) async throws {
        let id: String
        if let build {
            let records = try await value([ServedBuild].self, ["images", image.value, "builds"], [("limit", "1000")])
            let found = records.first { $0.id.hasPrefix(build) || $0.start.hasPrefix(build) }
            guard let found else { throw CommandError("no build '\(shown(build))' of image '\(image)'") }
            id = found.id
        } else {
            let builds = try await value(ServedBuilds.self, ["images", image.value])
            guard let newest = builds.running?.build ?? builds.latest?.id else {
                throw CommandError("no build of an image '\(image)'; see 'varve status'")
            }
            id = newest
        }
        let path = ["builds", id, "log"]
        if follow {
            try await events(path) { event in
                guard event.name != "end" else { return false }
                Output.write(event.data + "\n", to: STDOUT_FILENO)
                return true
            }
        } else {
            try await text(path, Self.write)
        }
    }

    /// Writes bytes as they came: a character may end in the next piece.
    private static func write(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
