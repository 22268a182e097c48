// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("GitNotesRecordStore", .temporaryDirectory)
struct GitNotesRecordStoreTests {
    private func sample() async throws -> SampleRepository {
        try await SampleRepository(TemporaryDirectory.required().path("repository"))
    }

    @Test
    func aRepositoryWithoutRecordsHasNone() async throws {
        let store = try await sample().store()
        let set = try await store.records()
        #expect(set.records.isEmpty && set.unreadable == 0)
        #expect(try await store.descriptions(of: [Samples.key(1)]).isEmpty)
    }

    @Test
    func whatIsAppendedIsRead() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        try await store.append([entry])
        #expect(try await store.records().records == [entry.record])
        #expect(
            try await store.descriptions(of: [entry.descriptions[0].key]) == [
                entry.descriptions[0].key: entry.descriptions[0]
            ])
        #expect(try await store.logLines(of: sample.commit) == [entry.line])
    }

    @Test
    func anEntryThatIsThereIsNotWrittenAgain() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        try await store.append([entry])
        let before = try await sample.git("for-each-ref", "refs/notes", "refs/varve")
        try await store.append([entry])
        #expect(try await sample.git("for-each-ref", "refs/notes", "refs/varve") == before)
    }

    @Test
    func aBatchIsOneCommitARef() async throws {
        let sample = try await sample()
        let store = try sample.store()
        try await store.append((1...40).map { try Samples.entry($0, on: [sample.commit], tree: sample.tree) })
        for ref in ["refs/notes/varve/log", "refs/notes/varve/state", "refs/varve/packages"] {
            #expect(try await sample.git("rev-list", "--count", ref) == "1")
        }
        #expect(try await store.records().records.map(\.id) == (1...40).map { Samples.id($0, digits: 32) })
    }

    @Test
    func recordsSeeWhatAnotherProcessWrote() async throws {
        let sample = try await sample()
        let reader = try sample.store()
        let writer = try sample.store()
        for number in 1...3 {
            try await writer.append([Samples.entry(number, on: [sample.commit], tree: sample.tree)])
            #expect(try await reader.records().records.count == number)
        }
    }

    @Test
    func unreadableLinesAreCountedAndKept() async throws {
        let sample = try await sample()
        let store = try sample.store()
        try await sample.git.run(
            ["notes", "--ref=varve/state", "add", "-m", "{\"version\":99}\nnot json", sample.tree.hex])
        try await store.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        let set = try await store.records()
        #expect(set.records.count == 1)
        #expect(set.unreadable == 2)
        let note = try #require(await sample.git.note("varve/state", on: sample.tree.hex))
        #expect(note.contains("not json") && note.contains("\"version\":99"))
    }

    @Test
    func aNoteThatIsTooLargeHidesNoOther() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let large = try TemporaryDirectory.required().path("large")
        let other = try await sample.git("rev-parse", "HEAD^{tree}")
        try await Command.run(
            "bash", ["-c", "head -c 70000000 /dev/zero | tr '\\0' x > \(large)"], in: sample.git.folder)
        try await sample.git("notes", "--ref=varve/state", "add", "-F", large, other)
        try await store.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        let set = try await store.records()
        #expect(set.records.count == 1)
        #expect(set.unreadable == 1)
        // Nothing can be added to it, and it is left as it is.
        let id = try await sample.git("notes", "--ref=varve/state", "list", other)
        await #expect(throws: GitError(.corrupt, "read blob '\(id)'", "")) {
            try await store.append([Samples.entry(2, on: [sample.commit], tree: ObjectID(hex: other))])
        }
        try await store.append([Samples.entry(3, on: [sample.commit], tree: sample.tree)])
        #expect(try await store.records().records.count == 2)
    }

    @Test
    func aRecordOnTwoTreesCountsOnce() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let other = try ObjectID(hex: Samples.id(77))
        let entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        var moved = entry
        moved.tree = other
        try await store.append([entry, moved])
        #expect(try await store.records().records == [entry.record])
    }

    @Test
    func aRecordThatIsTooLongIsShortenedToValidJSON() async throws {
        let sample = try await sample()
        let store = try sample.store()
        var entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        entry.record.reasons = [
            .contentChanged(layer: .pip, removed: [], added: (0..<2_000).map { "package-\($0)==1.0\u{2028}\n" })
        ]
        entry.record.error = FailureRecord(
            failureClass: .unknown, layer: .pip, message: String(repeating: "ä", count: 3_000),
            tail: String(repeating: "\u{1b}[31mé\n", count: 5_000))
        entry.record.tags = (0..<500).map { "tag-\($0)" }
        try await store.append([entry])
        let note = try #require(await sample.git.note("varve/state", on: sample.tree.hex))
        #expect(note.utf8.count < 4_096)
        #expect(!note.contains("\n"))
        let set = try await store.records()
        #expect(set.unreadable == 0)
        #expect(set.records.map(\.id) == [entry.record.id])
        #expect(set.records.first?.layers == entry.record.layers)
    }

    @Test(arguments: ["d", "\u{1}", "é", "\"", "/"])
    func aRecordWithLongPartsIsWrittenWithWhatMatters(letter: String) async throws {
        let sample = try await sample()
        let store = try sample.store()
        var entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        let long = String(repeating: letter + "x", count: 3_000)
        entry.record.folder = try RepositoryPath("images/" + long)
        entry.record.tree = sample.tree
        (entry.record.host, entry.record.engine, entry.record.trigger) = (long, long, long)
        entry.record.reference = long
        entry.record.base = BaseRecord(reference: long)
        entry.record.platform = try Platform("linux/" + String(repeating: "a", count: 5_000))
        entry.record.tags = [long, long]
        entry.record.seconds = .infinity
        entry.record.reasons = [.baseChanged(old: long, new: long)]
        entry.record.error = FailureRecord(failureClass: .unknown, layer: .pip, message: long, tail: long)
        entry.record.layers = try (0..<10).map {
            var layer = LayerRecord(kind: .apt, key: try Samples.key($0), action: .built, seconds: .nan, size: 1 << 40)
            layer.digest = try Digest("sha256:" + String(repeating: "0", count: 64))
            return layer
        }
        try await store.append([entry])
        let note = try #require(await sample.git.note("varve/state", on: sample.tree.hex))
        #expect(note.utf8.count < 4_096)
        let record = try #require(await store.records().records.first)
        #expect(record.id == entry.record.id && record.commit == entry.record.commit && record.tree == sample.tree)
        #expect(record.layers.map(\.key) == entry.record.layers.map(\.key))
        #expect(record.folder.description.hasPrefix("images/"))
    }

    @Test
    func credentialsAndLineBreaksNeverReachANote() async throws {
        let sample = try await sample()
        let store = try sample.store()
        var entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        entry.line = "built from https://user:hunter2@example.com/x\nforged line"
        entry.record.error = FailureRecord(
            failureClass: .unknown, layer: nil, message: "https://user:hunter2@example.com",
            tail: "https://hunter2@example.com")
        entry.descriptions[0].lines = ["--index-url https://user:hunter2@example.com/simple"]
        try await store.append([entry])
        #expect(try await store.logLines(of: sample.commit).count == 1)
        for ref in ["refs/notes/varve/log", "refs/notes/varve/state", "refs/varve/packages"] {
            for name in try await sample.git("ls-tree", "-r", "--format=%(objectname)", ref).split(separator: "\n") {
                let text = try await sample.git("cat-file", "-p", String(name))
                #expect(!text.contains("hunter2"))
            }
        }
    }

    @Test
    func theAuthorIsTheConfiguredOneElseVarve() async throws {
        let sample = try await sample()
        try await sample.store().append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        #expect(
            try await sample.git("log", "-1", "--format=%an <%ae>", "refs/notes/varve/log") == "varve <varve@localhost>"
        )
        try await sample.git("config", "user.name", "Ada")
        try await sample.git("config", "user.email", "ada@example.org")
        try await sample.store().append([Samples.entry(2, on: [sample.commit], tree: sample.tree)])
        #expect(
            try await sample.git("log", "-1", "--format=%cn <%ce>", "refs/notes/varve/log") == "Ada <ada@example.org>")
        let given = try sample.store { $0.author = GitSignature(name: "Bot", email: "bot@example.org") }
        try await given.append([Samples.entry(3, on: [sample.commit], tree: sample.tree)])
        #expect(
            try await sample.git("log", "-1", "--format=%an <%ae>", "refs/notes/varve/log") == "Bot <bot@example.org>")
        #expect(
            try await sample.git("log", "-1", "--format=%s", "refs/notes/varve/log")
                == "Notes added by varve: ds-python")
    }

    @Test
    func writersInOneProcessLoseNothing() async throws {
        let sample = try await sample()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                let store = try sample.store { $0.attempts = 1_000 }
                group.addTask {
                    for number in 0..<5 {
                        try await store.append([
                            Samples.entry(writer * 5 + number + 1, on: [sample.commit], tree: sample.tree)
                        ])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await sample.store().records().records.count == 20)
        #expect(try await sample.store().logLines(of: sample.commit).count == 20)
    }

    @Test
    func aHeldLockEndsAsContended() async throws {
        let sample = try await sample()
        try TemporaryDirectory.write("", to: sample.git.folder + "/.git/refs/notes/varve/state.lock")
        let store = try sample.store { $0.attempts = 3 }
        await #expect(throws: GitError(.contended, "write records", "")) {
            try await store.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        }
    }
}
