// SPDX-License-Identifier: Apache-2.0

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
        #expect(try await store.history() == History(records), sourceLocation: place)
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
        #expect(try await store.history() == History(store.records().records))
        try await sample.git("notes", "--ref=varve/state", "append", "-m", "not json", trees[1].hex)
        #expect(try await store.history() == History(store.records().records))

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
}
