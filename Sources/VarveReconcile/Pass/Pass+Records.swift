// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// What a pass records without building: definitions that cannot be used, that moved, or that are gone.
extension Pass {
    mutating func passiveEntries() async throws -> [RecordEntry] {
        var entries: [RecordEntry] = []
        for definition in isWhole ? findings.plan.invalid : [] {
            reconciler.events(.invalid(definition))
            result.invalid.append(definition.name)
            if let entry = try await invalidEntry(definition) { entries.append(entry) }
        }
        // What is being built is recorded when it is, and is compared then with what was found here.
        for plan in findings.plan.images
        where selected.contains(plan.definition.name) && running[plan.definition.name] == nil {
            if plan.action == .blocked { skip(plan) }
            if let entry = adoptedEntry(plan) { entries.append(entry) }
        }
        for record in isWhole ? findings.plan.retired : [] { entries.append(try await retiredEntry(record)) }
        return entries
    }

    mutating func skip(_ plan: ImagePlan) {
        result.blocked.append(plan.definition.name)
        reconciler.events(
            .imageSkipped(name: plan.definition.name.value, status: .blocked, cause: plan.cause ?? "its base is broken")
        )
    }

    /// One line on the commit that a definition of unchanged meaning moved to.
    func adoptedEntry(_ plan: ImagePlan) -> RecordEntry? {
        guard plan.action == .none, plan.status == .built, let last = plan.lastGood,
            let commits = commits[plan.definition.name],
            last.commit != commits.newest && !commits.isUnmoved || last.tree != plan.definition.tree
        else { return nil }
        var record = makeRecord(last.image, .adopted, commit: commits.newest)
        record.folder = plan.definition.folder
        record.tree = plan.definition.tree
        record.layers = last.layers.map { $0.adopted }
        record.reference = last.reference
        record.manifestDigest = last.manifestDigest
        record.configDigest = last.configDigest
        record.tags = last.tags
        record.base = last.base
        record.platform = last.platform
        record.platforms = last.platforms
        record.verify = last.verify
        return entry(record, commits: commits.noted, tree: plan.definition.tree)
    }

    /// Said once for each state of the folder.
    private func invalidEntry(_ definition: InvalidDefinition) async throws -> RecordEntry? {
        guard let name = try? ImageName(definition.name), !history.knowsAsInvalid(definition) else { return nil }
        let commit = try await lastCommit(of: definition.folder)
        var record = makeRecord(name, .invalid, commit: commit)
        record.folder = definition.folder
        record.tree = definition.tree
        let message = definition.diagnostics.map(\.description).joined(separator: "; ")
        record.error = FailureRecord(
            failureClass: .definition, layer: nil, message: singleLine(redacted(message), limit: 1_000), tail: "")
        return entry(record, commits: [commit], tree: definition.tree)
    }

    private func retiredEntry(_ last: BuildRecord) async throws -> RecordEntry {
        let commit = try await lastCommit(of: last.folder)
        var record = makeRecord(last.image, .retired, commit: commit)
        record.folder = last.folder
        record.tree = last.tree
        record.reference = last.reference
        return entry(record, commits: [commit], tree: last.tree ?? commit)
    }

    private func lastCommit(of folder: RepositoryPath) async throws -> ObjectID {
        let found = try await reconciler.source.lastCommits(touching: [[folder]], from: findings.commit)
        return found.first.flatMap { $0 } ?? findings.commit
    }

    private func makeRecord(_ image: ImageName, _ status: ImageStatus, commit: ObjectID) -> BuildRecord {
        let settings = reconciler.settings
        return BuildRecord(
            id: settings.makeID(), image: image, commit: commit, trigger: settings.trigger, status: status, reasons: [],
            layers: [], start: settings.moment(after: history.latest[image]), seconds: 0, engine: "",
            host: settings.host)
    }

    private func entry(
        _ record: BuildRecord, commits: [ObjectID], tree: ObjectID, descriptions: [LayerDescription] = []
    ) -> RecordEntry {
        RecordEntry(commits: commits, line: record.logLine, tree: tree, record: record, descriptions: descriptions)
    }
}

extension LayerRecord {
    /// The layer in the record of a definition that moved to another commit.
    fileprivate var adopted: LayerRecord {
        var layer = LayerRecord(kind: kind, key: key, action: .reused, digest: digest)
        layer.platform = platform
        return layer
    }
}
