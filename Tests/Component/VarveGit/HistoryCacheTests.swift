// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveGit
import VarveModel
import VarveTestSupport

/// What a store keeps in memory of its records, against the records themselves.
@Suite(.temporaryDirectory) struct HistoryCacheTests {
    private func sample() async throws -> SampleRepository {
        try await SampleRepository(TemporaryDirectory.required().path("repository"))
    }

    /// Compares what a store that has seen the past says with what stands in the notes now.
    private func check(
        _ store: GitNotesRecordStore, holds ids: [Int], _ place: SourceLocation = #_sourceLocation
    ) async throws {
        let records = try await store.records().records
        #expect(records.map(\.id) == ids.map { Samples.id($0, digits: 32) }, sourceLocation: place)
        #expect(try await store.history() == expected(store), sourceLocation: place)
    }

    private func expected(_ store: GitNotesRecordStore) async throws -> History {
        let set = try await store.records()
        var history = History(set.records)
        history.unreadable = set.unreadable
        return history
    }

    @Test
    func historyFollowsWhateverHappensToTheNotes() async throws {
        let sample = try await sample()
        let store = try sample.store()
        try await check(store, holds: [])
        var trees = [sample.tree]
        for number in 1...3 {
            let file = try TemporaryDirectory.required().write("\(number)", to: "file")
            trees.append(try ObjectID(hex: await sample.git("hash-object", "-w", file)))
        }
        var revisions: Set<String?> = [try await store.revision()]
        for number in 1...8 {
            let entry = try Samples.entry(
                number, on: [sample.commit], tree: trees[number % 4], image: "image-\(number % 3)")
            // Now this process, now another one.
            try await (number % 2 == 0 ? store : sample.store()).append([entry])
            try await check(store, holds: Array(1...number))
            revisions.insert(try await store.revision())
        }
        #expect(revisions.count == 9)
        let whole = try await sample.git("rev-parse", "refs/notes/varve/state")

        // A note that is taken away, a line that is taken out of one, a line that nobody can read.
        try await sample.git("notes", "--ref=varve/state", "remove", trees[3].hex)
        try await check(store, holds: [1, 2, 4, 5, 6, 8])
        let lines = try #require(await sample.git.note("varve/state", on: trees[1].hex)).split(separator: "\n")
        try await sample.git("notes", "--ref=varve/state", "add", "-f", "-m", String(lines[0]), trees[1].hex)
        #expect(try await store.records().records.count == 5)
        #expect(try await store.history() == expected(store))
        try await sample.git("notes", "--ref=varve/state", "append", "-m", "not json", trees[1].hex)
        #expect(try await store.history() == expected(store))

        // What was there before comes back; then all of it is gone.
        try await sample.git("update-ref", "refs/notes/varve/state", whole)
        try await check(store, holds: Array(1...8))
        try await sample.git("update-ref", "-d", "refs/notes/varve/state")
        try await check(store, holds: [])
        #expect(try await store.revision() == nil)
    }

    @Test
    func notesThatNobodyCanCompareAreReadAnew() async throws {
        let sample = try await sample()
        let store = try sample.store()
        try await store.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        try await check(store, holds: [1])
        // The old notes are gone from the repository before the store looks again.
        try await sample.git("update-ref", "-d", "refs/notes/varve/state")
        try await sample.git("notes", "--ref=varve/state", "add", "-m", "{}", sample.commit.hex)
        try await sample.git("reflog", "expire", "--expire=now", "--all")
        try await sample.git("prune", "--expire=now")
        try await check(store, holds: [])
        #expect(try await store.records().unreadable == 1)
    }

    @Test
    func recordsAreFoundByImageAndByTheStartOfTheirId() async throws {
        let sample = try await sample()
        let store = try sample.store()
        for number in 1...6 {
            try await store.append([
                Samples.entry(number, on: [sample.commit], tree: sample.tree, image: number % 2 == 0 ? "even" : "odd")
            ])
        }
        let all = try await store.records().records
        let even = try RecordFilter.image(ImageName("even"))
        #expect(try await store.records(even).records == all.filter { $0.image.value == "even" })
        #expect(try await store.records(.image(ImageName("eve"))).records.isEmpty)
        #expect(try await store.records(.build(all[3].id)).records == [all[3]])
        #expect(try await store.records(.build(String(all[3].id.prefix(12)))).records == all)
        #expect(try await store.records(.build("f")).records.isEmpty)
    }

    /// Names of trees, spread as those of hashes are.
    private func trees(_ count: Int) throws -> [ObjectID] {
        var random = SeededRandom(seed: 5)
        return try (0..<count).map { number in
            try ObjectID(
                hex: String(0x10000 | Int.random(in: 0..<0x10000, using: &random), radix: 16).dropFirst()
                    + Samples.id(number, digits: 36))
        }
    }

    /// Where a note's object lies.
    private func path(_ sample: SampleRepository, ofNoteOn tree: ObjectID) async throws -> String {
        let blob = try await sample.git("notes", "--ref=varve/state", "list", tree.hex)
        return sample.git.folder + "/.git/objects/\(blob.prefix(2))/\(blob.dropFirst(2))"
    }

    @Test
    func whatWasReadBeforeAnErrorIsNotKept() async throws {
        let sample = try await sample()
        let (store, writer) = (try sample.store(), try sample.store())
        let trees = try trees(20)
        try await writer.append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        try await check(store, holds: [1])
        let before = try await sample.git("rev-parse", "refs/notes/varve/state")
        try await writer.append(
            (0..<20).map { try Samples.entry(100 + $0, on: [sample.commit], tree: trees[$0], image: "image-\($0)") })
        let note = try await path(sample, ofNoteOn: trees[7])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: note)
        try TemporaryDirectory.write("damaged", to: note)
        await #expect(throws: GitError.self) { try await store.history() }
        try await sample.git("update-ref", "refs/notes/varve/state", before)
        try await check(store, holds: [1])
    }

    @Test
    func noteThatIsMissingIsAnError() async throws {
        let sample = try await sample()
        try await sample.store().append([Samples.entry(1, on: [sample.commit], tree: sample.tree)])
        let blob = try await sample.git("notes", "--ref=varve/state", "list", sample.tree.hex)
        try await FileManager.default.removeItem(atPath: path(sample, ofNoteOn: sample.tree))
        let store = try sample.store()
        let error = GitError(.notFound, "read note '\(blob)'", "")
        await #expect(throws: error) { try await store.history() }
        await #expect(throws: error) { try await store.records() }
    }

    @Test
    func twoTellingsOfOneEventComeToOne() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let tree = try trees(1)[0]
        for number in 1...12 {
            var entry = try Samples.entry(number, on: [sample.commit], tree: sample.tree, image: "image-\(number)")
            for host in ["alpha", "beta"] {
                entry.record.host = host
                entry.tree = number % 2 == 0 ? tree : entry.tree
                try await store.append([entry])
                _ = try await store.history()
            }
        }
        let records = try await store.records().records
        #expect(Set(records.map(\.host)).count == 1)
        #expect(try await store.history() == History(records))
        #expect(try await sample.store().history() == History(records))
    }

    /// Notes that git fans out, merges, takes away and flattens.
    @Test
    func historyFollowsTheFormOfTheNotes() async throws {
        let sample = try await sample()
        let store = try sample.store()
        let trees = try trees(320)
        func append(_ numbers: Range<Int>) async throws {
            try await store.append(
                numbers.map {
                    try Samples.entry(1 + $0, on: [sample.commit], tree: trees[$0], image: "image-\($0 % 9)")
                })
            try await check(store, holds: Array(1...numbers.upperBound))
        }
        for start in stride(from: 0, to: 280, by: 40) { try await append(start..<start + 40) }
        // One in two heirs of the same notes, brought together by git.
        try await sample.git("update-ref", "refs/notes/varve/other", "refs/notes/varve/state")
        try await append(280..<320)
        let other = try await sample.git("notes", "--ref=varve/state", "show", trees[3].hex)
            .replacing("\(Samples.id(4, digits: 32))", with: Samples.id(321, digits: 32))
        try await sample.git("notes", "--ref=varve/other", "append", "-m", other, trees[3].hex)
        try await sample.git("notes", "--ref=varve/state", "merge", "-s", "cat_sort_uniq", "refs/notes/varve/other")
        // The start of a record comes before its id.
        try await check(store, holds: [1, 2, 3, 4, 321] + Array(5...320))
        let folders = try await sample.git("ls-tree", "-d", "--name-only", "refs/notes/varve/state")
        #expect(!folders.isEmpty)
        let flat = try await sample.git("ls-tree", "-r", "refs/notes/varve/state").split(separator: "\n").map { line in
            let parts = line.split(separator: "\t")
            return "\(parts[0])\t\(parts[1].replacing("/", with: ""))\n"
        }
        let tree = try await sample.git.run(["mktree"], input: flat.joined())
        let commit = try await sample.git("commit-tree", "-m", "flat", tree)
        try await sample.git("update-ref", "refs/notes/varve/state", commit)
        try await check(store, holds: [1, 2, 3, 4, 321] + Array(5...320))
    }
}
