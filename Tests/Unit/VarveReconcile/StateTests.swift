// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

@Suite(.temporaryDirectory) struct JournalTests {
    private func makePath() throws -> String { try TemporaryDirectory.required().path("journal.jsonl") }

    private func entry(_ id: String) throws -> RecordEntry {
        let commit = try ObjectID(hex: String(repeating: "1", count: 40))
        let record = BuildRecord(
            id: id, image: try ImageName("a"), commit: commit, trigger: "t", status: .built, reasons: [.neverBuilt],
            layers: [], start: Timestamp(seconds: 0), seconds: 0, engine: "e", host: "h")
        return RecordEntry(commits: [commit], line: "line \(id)", tree: commit, record: record, descriptions: [])
    }

    private func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func keepsEntriesInOrderAcrossProcesses() async throws {
        let path = try makePath()
        #expect(try await Journal(path: path).pending() == [])
        let entries = try ["a", "b", "c"].map { try entry($0) }
        try await Journal(path: path).append(Array(entries.prefix(2)))
        try await Journal(path: path).append([entries[2]])
        #expect(try await Journal(path: path).pending() == entries)
        try await Journal(path: path).remove(ids: ["b"])
        #expect(try await Journal(path: path).pending() == [entries[0], entries[2]])
        try await Journal(path: path).remove(ids: ["a", "c"])
        #expect(try await Journal(path: path).pending() == [])
        #expect(try read(path) == "")
    }

    /// However much of the last line a crash left, the lines before and after it are whole.
    @Test func halfALineSwallowsNothing() async throws {
        let path = try makePath()
        let (first, second) = (try entry("first"), try entry("second"))
        try await Journal(path: path).append([first])
        let whole = try read(path)
        for cut in stride(from: 1, to: whole.count - 2, by: 7) {
            try write(whole + String(whole.dropFirst().prefix(cut)), to: path)
            let journal = Journal(path: path)
            #expect(try await journal.pending() == [first])
            try await journal.append([second])
            #expect(try await journal.pending() == [first, second])
            try await journal.remove(ids: ["first"])
            #expect(try await journal.pending() == [second])
        }
    }

    /// An entry of a newer version is none of ours to drop.
    @Test func wholeLineThatCannotBeReadIsKept() async throws {
        let path = try makePath()
        let newer = #"{"commits":[],"later":true}"#
        try write(newer + "\n{\"half", to: path)
        let journal = Journal(path: path)
        try await journal.append([entry("a")])
        try await journal.remove(ids: ["a"])
        #expect(try read(path) == newer + "\n")
    }

    @Test func folderInPlaceOfTheFileIsAnError() async throws {
        let path = try TemporaryDirectory.required().path
        await #expect(throws: ReconcileError(.stateDirectory, subject: path, cause: "")) {
            try await Journal(path: path).append([entry("a")])
        }
        await #expect(throws: ReconcileError(.stateDirectory, subject: path, cause: "")) {
            try await Journal(path: path).pending()
        }
    }

    @Test func replacingLeavesNoDraft() async throws {
        let directory = try TemporaryDirectory.required()
        let journal = Journal(path: directory.path("journal.jsonl"))
        try await journal.append([entry("a"), entry("b")])
        try await journal.remove(ids: ["a"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["journal.jsonl"])
    }

    /// A file system of 64 KiB: what was there stays, what does not fit is refused, and the journal works on afterwards.
    @Test func fullDiskLosesNothingThatWasPromised() async throws {
        let directory = try TemporaryDirectory.required()
        let folder = try directory.makeFolder("small")
        _ = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
        directory.addCleanup { _ = try? await Command.run("umount", [folder]) }
        let journal = Journal(path: folder + "/journal.jsonl")
        var kept = 0
        var failure: ReconcileError?
        for index in 0..<2_000 where failure == nil {
            do {
                try await journal.append([entry("\(index)")])
                kept += 1
            } catch { failure = error as? ReconcileError }
        }
        #expect(failure == ReconcileError(.stateDirectory, subject: folder + "/journal.jsonl", cause: ""))
        #expect(failure?.cause == "No space left on device")
        #expect(kept > 10)
        #expect(try await journal.pending().map(\.record.id) == (0..<kept).map { "\($0)" })
        // There is no room for a draft either: the entries stay, which is no loss.
        await #expect(throws: ReconcileError.self) { try await journal.remove(ids: ["0"]) }
        #expect(try await journal.pending().count == kept)
        _ = try await Command.run("mount", ["-o", "remount,size=1m", folder])
        try await journal.append([entry("last")])
        #expect(try await journal.pending().count == kept + 1)
        try await journal.remove(ids: Set((0..<kept).map { "\($0)" }))
        #expect(try await journal.pending().map(\.record.id) == ["last"])
    }
}

@Suite(.temporaryDirectory) struct StateDirectoryTests {
    @Test func repositoriesOfOneStateDirectoryAreApart() throws {
        let path = try TemporaryDirectory.required().path
        let (one, two) = (StateDirectory(path: path, repository: "/a"), StateDirectory(path: path, repository: "/b"))
        #expect(one.journal != two.journal)
        #expect(one.repositoryKey.count == 16)
        #expect(one.images == two.images)
        let name = try ImageName("x")
        #expect(one.logs(of: name) != two.logs(of: name))
        #expect(StateDirectory(path: path, repository: "/a").journal == one.journal)
    }

    @Test func lockExcludesTheSecondUntilTheFirstIsGone() async throws {
        let state = StateDirectory(path: try TemporaryDirectory.required().path, repository: "/r")
        try state.prepare()
        #expect(!StateLock.isHeld(state))
        do {
            let lock = try StateLock(state)
            #expect(StateLock.isHeld(state))
            #expect(throws: ReconcileError(.locked, subject: state.path, cause: "")) { _ = try StateLock(state) }
            // Another process, by the reference tool.
            let other = try await Command.result("flock", ["-n", state.path + "/lock", "true"])
            #expect(other.status == 1)
            _ = consume lock
        }
        let lock = try StateLock(state)
        #expect(StateLock.isHeld(state))
        _ = consume lock
        #expect(!StateLock.isHeld(state))
        #expect(try await Command.result("flock", ["-n", state.path + "/lock", "true"]).status == 0)
    }

    @Test func lockOfAFolderThatIsMissingIsAnError() throws {
        let state = StateDirectory(path: try TemporaryDirectory.required().path("none"), repository: "/r")
        #expect(throws: ReconcileError(.stateDirectory, subject: state.path + "/lock", cause: "")) {
            _ = try StateLock(state)
        }
        #expect(!StateLock.isHeld(state))
    }
}

@Suite(.temporaryDirectory) struct BuildLogFileTests {
    @Test func linesAreRedactedAndSafeInTheFileAndForTheWatcher() throws {
        let seen = Mutex<[String]>([])
        let log = BuildLogFile(
            folder: try TemporaryDirectory.required().path("a/b"), start: Timestamp(seconds: 0), id: "0123456789abcdef"
        ) { line, layer in seen.withLock { $0.append("\(layer) \(line)") } }
        log.append(line: "fetch https://user:pw@example.com/x", layer: .pip)
        log.append(line: "token=abc\u{1b}[2J\nforged", layer: .apt)
        log.append(line: String(repeating: "x", count: 10_000), layer: .config)
        #expect(log.path.hasSuffix("/a/b/1970-01-01T00:00:00Z-0123456789ab.log"))
        let lines = try String(contentsOfFile: log.path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "pip: fetch https://***@example.com/x")
        #expect(lines[1].hasPrefix("apt: token=***"))
        #expect(!lines[1].contains("\u{1b}") && !lines[1].contains("abc"))
        #expect(lines[2].count == "config: ".count + 4_001)
        #expect(seen.withLock { $0.first } == "pip fetch https://***@example.com/x")
        #expect(seen.withLock { $0.count } == 3)
    }

    /// A log that cannot be written never fails a build.
    @Test func unwritableFolderOnlyLosesTheFile() throws {
        let seen = Mutex(0)
        let log = BuildLogFile(folder: "/proc/none", start: Timestamp(seconds: 0), id: "1") { _, _ in
            seen.withLock { $0 += 1 }
        }
        log.append(line: "x", layer: .base)
        #expect(seen.withLock { $0 } == 1)
    }
}
