// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

/// Values for tests of records.
enum Samples {
    static func id(_ number: Int, digits: Int = 40) -> String {
        let hex = String(number, radix: 16)
        return String(repeating: "0", count: digits - hex.count) + hex
    }

    static func record(_ number: Int, image: String = "ds-python", start: Int? = nil) throws -> BuildRecord {
        BuildRecord(
            id: id(number, digits: 32), image: try ImageName(image), commit: try ObjectID(hex: id(number)),
            trigger: "reconcile", status: .built, reasons: [.neverBuilt],
            layers: [LayerRecord(kind: .apt, key: try key(number), action: .built, seconds: 1.5)],
            start: Timestamp(seconds: start ?? 1_795_000_000 + number), seconds: 2, engine: "buildah 1.28.2",
            host: "test")
    }

    static func key(_ number: Int) throws -> LayerKey {
        // The digits are spread, as those of a hash are.
        let seed = UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15
        let hex = String(seed, radix: 16)
        return try LayerKey(hex: hex + String(repeating: "0", count: 64 - hex.count))
    }

    static func entry(
        _ number: Int, on commits: [ObjectID], tree: ObjectID, image: String = "ds-python"
    ) throws -> RecordEntry {
        let record = try record(number, image: image)
        return RecordEntry(
            commits: commits, line: "\(record.start) \(image) built in 2s; number \(number)", tree: tree,
            record: record,
            descriptions: [LayerDescription(key: try key(number), recipe: 1, lines: ["curl", "git \(number)"])])
    }
}

/// A repository with one definition, seen by git and by varve.
struct SampleRepository {
    let git: GitCommandLine
    let repository: GitRepository
    let commit: ObjectID
    let tree: ObjectID

    init(_ folder: String) async throws {
        try GitLibrary.isolateConfiguration()
        git = try await GitCommandLine.initialize(folder)
        commit = try await git.commit(["images/ds-python/image.yaml": "base: debian\n"])
        tree = try await git.revision("HEAD:images/ds-python")
        repository = try GitRepository(opening: folder)
    }

    /// Author of the newest commit of the log.
    func lastAuthor() async throws -> String {
        try await git("log", "-1", "--format=%an <%ae>", "refs/notes/varve/log")
    }

    func store(_ change: (inout GitNotesRecordStore.Options) -> Void = { _ in }) throws -> GitNotesRecordStore {
        var options = GitNotesRecordStore.Options()
        options.pause = { _ in .milliseconds(1) }
        change(&options)
        return try GitNotesRecordStore(repository: repository, options: options)
    }
}
