// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("Notes against git notes", .temporaryDirectory)
struct NotesTests {
    private func sample() async throws -> SampleRepository {
        try await SampleRepository(TemporaryDirectory.required().path("repository"))
    }

    /// Ids that are spread as hashes are.
    private func objects(_ count: Int, seed: UInt64) throws -> [ObjectID] {
        var generator = SeededGenerator(state: seed)
        return try (0..<count).map { _ in
            let hex = (0..<3).map { _ in
                let part = String(generator.next(), radix: 16)
                return String(repeating: "0", count: 16 - part.count) + part
            }.joined()
            return try ObjectID(hex: String(hex.prefix(40)))
        }
    }

    @Test
    func gitShowsWhatVarveWrote() async throws {
        let sample = try await sample()
        let entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        try await sample.store().append([entry])
        #expect(try await sample.git("notes", "--ref=varve/log", "show", sample.commit.hex) == entry.line)
        #expect(
            try await sample.git("notes", "--ref=varve/state", "list").hasSuffix(sample.tree.hex))
        let log = try await sample.git("log", "--notes=varve/log", "--format=%N", "--", "images/ds-python")
        #expect(log == entry.line)
        try await sample.git("fsck", "--strict")
    }

    @Test(arguments: [1, 15, 60, 300, 3_000])
    func treesAreThoseThatGitWrites(count: Int) async throws {
        let sample = try await sample()
        let objects = try objects(count, seed: UInt64(count))
        // In uneven batches, since the layout must not depend on them.
        let store = try sample.store()
        var rest = try objects.enumerated().map { try Samples.entry($0 + 1, on: [$1], tree: sample.tree) }[...]
        var size = 1
        while !rest.isEmpty {
            try await store.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
            size = size * 2 + 1
        }
        // git reads the notes and, by merging one more into them, writes them all in its own layout.
        let written = try await sample.git("rev-parse", "refs/notes/varve/log^{tree}")
        let note = try await sample.git.run(["hash-object", "-w", "--stdin"], input: "x\n")
        try await sample.git("update-ref", "refs/notes/copy", "refs/notes/varve/log")
        for object in objects.prefix(40) {
            try await sample.git("notes", "--ref=copy", "add", "-f", "-C", note, object.hex)
        }
        for object in objects.prefix(40) {
            let blob = try await sample.git("notes", "--ref=varve/log", "list", object.hex)
            try await sample.git("notes", "--ref=copy", "add", "-f", "-C", blob, object.hex)
        }
        #expect(try await sample.git("rev-parse", "refs/notes/copy^{tree}") == written)
        #expect(try await sample.git("notes", "--ref=varve/log", "list").split(separator: "\n").count == count)
        try await sample.git("fsck", "--strict")
    }

    @Test(arguments: [(0, 1), (0, 300), (1, 300), (2, 70_000), (2, 300)])
    func varveReadsWhatGitWrote(fanout: Int, count: Int) async throws {
        let sample = try await sample()
        let objects = try objects(count, seed: 5)
        var stream = ""
        for (index, object) in objects.enumerated() {
            stream += "blob\nmark :\(index + 1)\ndata <<END\nline \(index)\nEND\n"
            _ = object
        }
        stream += "commit refs/notes/varve/log\ncommitter T <t@example.org> 1700000000 +0000\ndata 0\n"
        for (index, object) in objects.enumerated() {
            stream += "M 100644 :\(index + 1) \(path(object.hex, fanout))\n"
        }
        try await sample.git.run(["fast-import", "--quiet"], input: stream)
        let store = try sample.store()
        for index in stride(from: 0, to: count, by: max(1, count / 50)) {
            #expect(try await store.logLines(of: objects[index]) == ["line \(index)"])
        }
        // A write keeps every note, whatever the layout was.
        let entry = try Samples.entry(1, on: [objects[0]], tree: sample.tree)
        try await store.append([entry])
        #expect(try await store.logLines(of: objects[0]).sorted() == [entry.line, "line 0"].sorted())
        let list = try await sample.git("notes", "--ref=varve/log", "list")
        #expect(list.split(separator: "\n").count == count)
        #expect(
            try await sample.git("notes", "--ref=varve/log", "show", objects[count - 1].hex) == lastLine(objects, entry)
        )
    }

    private func lastLine(_ objects: [ObjectID], _ entry: RecordEntry) -> String {
        objects.count == 1 ? [entry.line, "line 0"].sorted().joined(separator: "\n") : "line \(objects.count - 1)"
    }

    private func path(_ hex: String, _ fanout: Int) -> String {
        var rest = Substring(hex)
        var parts: [Substring] = []
        for _ in 0..<fanout {
            parts.append(rest.prefix(2))
            rest = rest.dropFirst(2)
        }
        return (parts + [rest]).joined(separator: "/")
    }

    @Test
    func notesOfOneObjectAtSeveralDepthsAreJoined() async throws {
        let sample = try await sample()
        let object = try objects(1, seed: 9)[0]
        var stream = ""
        for depth in 0...2 { stream += "blob\nmark :\(depth + 1)\ndata <<END\ndepth \(depth)\nEND\n" }
        stream += "commit refs/notes/varve/log\ncommitter T <t@example.org> 1700000000 +0000\ndata 0\n"
        for depth in 0...2 { stream += "M 100644 :\(depth + 1) \(path(object.hex, depth))\n" }
        stream += "M 100644 :1 README\n"
        try await sample.git.run(["fast-import", "--quiet"], input: stream)
        let store = try sample.store()
        #expect(try await store.logLines(of: object) == ["depth 0", "depth 1", "depth 2"])
        let entry = try Samples.entry(1, on: [object], tree: sample.tree)
        try await store.append([entry])
        let expected = [entry.line, "depth 0", "depth 1", "depth 2"].sorted()
        #expect(try await store.logLines(of: object) == expected)
        #expect(
            try await sample.git("notes", "--ref=varve/log", "show", object.hex) == expected.joined(separator: "\n"))
        #expect(try await sample.git("notes", "--ref=varve/log", "list").split(separator: "\n").count == 1)
        // What is no note stays.
        #expect(try await sample.git("cat-file", "-p", "refs/notes/varve/log:README") == "depth 0")
    }

    @Test
    func gitMergesTwoWritersByCatSortUniq() async throws {
        let sample = try await sample()
        let store = try sample.store()
        try await store.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        try await sample.git("update-ref", "refs/notes/theirs", "refs/notes/varve/state")
        try await sample.git("update-ref", "refs/notes/theirs-log", "refs/notes/varve/log")
        try await sample.git("update-ref", "refs/keep/state", "refs/notes/varve/state")
        try await store.append([Samples.entry(2, on: [sample.commit], tree: sample.tree)])
        let ours = try await sample.git("rev-parse", "refs/notes/varve/state")
        try await sample.git("update-ref", "refs/notes/varve/state", "refs/keep/state")
        try await store.append([Samples.entry(3, on: [sample.commit], tree: sample.tree)])
        try await sample.git("update-ref", "refs/notes/theirs", ours)
        try await sample.git("notes", "--ref=varve/state", "merge", "-s", "cat_sort_uniq", "refs/notes/theirs")
        let set = try await store.records()
        #expect(set.records.map(\.id) == (1...3).map { Samples.id($0, digits: 32) })
        #expect(set.unreadable == 0)
    }

    @Test
    func recordsSurviveGarbageCollectionAndMirroring() async throws {
        let sample = try await sample()
        let directory = try TemporaryDirectory.required()
        let entries = try (1...30).map { try Samples.entry($0, on: [sample.commit], tree: sample.tree) }
        try await sample.store().append(entries)
        try await sample.git("reflog", "expire", "--expire=now", "--all")
        try await sample.git("gc", "--quiet", "--prune=now")
        try await sample.git("clone", "--quiet", "--mirror", sample.git.folder, directory.path("mirror.git"))
        for path in [sample.git.folder, directory.path("mirror.git")] {
            let store = try GitNotesRecordStore(repository: GitRepository(opening: path))
            #expect(try await store.records().records.count == 30)
            let keys = entries.map { $0.descriptions[0].key }
            let found = try await store.descriptions(of: keys)
            #expect(
                found == Dictionary(uniqueKeysWithValues: entries.map { ($0.descriptions[0].key, $0.descriptions[0]) }))
        }
        try await sample.git("fsck", "--strict")
    }

    @Test
    func configuredNotesAreFetchedAndShownByGit() async throws {
        let sample = try await sample()
        let directory = try TemporaryDirectory.required()
        let entry = try Samples.entry(1, on: [sample.commit], tree: sample.tree)
        try await sample.store().append([entry])
        let clone = try await GitCommandLine.clone(sample.git.folder, to: directory.path("clone"))
        let repository = try GitRepository(opening: clone.folder)
        try repository.configureNotes()
        try repository.configureNotes()
        #expect(
            try await clone("config", "--get-all", "remote.origin.fetch").split(separator: "\n")
                == ["+refs/heads/*:refs/remotes/origin/*", "+refs/notes/varve/*:refs/notes/varve/*"])
        #expect(try await clone("config", "--get-all", "notes.displayRef") == "refs/notes/varve/*")
        try await clone("fetch", "--quiet")
        #expect(try await clone("log", "-1").contains(entry.line))
    }
}
