// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("History against git log", .temporaryDirectory)
struct HistoryTests {
    @Test
    func lastCommitsAreThoseOfGitLog() async throws {
        try GitLibrary.isolateConfiguration()
        let folder = try TemporaryDirectory.required().path("histories.git")
        let git = try await GitCommandLine.initialize(folder, bare: true)
        let histories = (0..<240).map { RandomHistory(seed: UInt64($0), firstMark: 1 + $0 * 100) }
        try await git.run(["fast-import", "--quiet"], input: histories.map(\.stream).joined())
        let source = GitDefinitionSource(repository: try GitRepository(opening: folder))
        let pathSets = try RandomHistory.pathSets.map { try $0.map { try RepositoryPath($0) } }
        var compared = 0
        for history in histories {
            let tip = try await git.revision(history.branch)
            let found = try await source.lastCommits(touching: pathSets, from: tip)
            // One process for all sets of a history keeps the test short.
            let script = RandomHistory.pathSets.map {
                "git log -1 --format=%H \(tip.hex) -- \($0.joined(separator: " ")); echo ="
            }.joined(separator: "\n")
            let result = try await Command.run("bash", ["-c", script], in: folder, environment: git.variables())
            let expected = result.stdout.split(separator: "=\n", omittingEmptySubsequences: false).dropLast()
                .map { $0.split(separator: "\n").first.map(String.init) }
            #expect(found.map { $0?.hex } == expected, "\(history.branch)")
            compared += expected.count
        }
        #expect(compared == 240 * RandomHistory.pathSets.count)
    }

    @Test
    func changesAreThoseOfGitDiff() async throws {
        try GitLibrary.isolateConfiguration()
        let folder = try TemporaryDirectory.required().path("histories.git")
        let git = try await GitCommandLine.initialize(folder, bare: true)
        let histories = (0..<40).map { RandomHistory(seed: UInt64(1_000 + $0), firstMark: 1 + $0 * 100) }
        try await git.run(["fast-import", "--quiet"], input: histories.map(\.stream).joined())
        let repository = try GitRepository(opening: folder)
        for (old, new) in zip(histories, histories.dropFirst()) {
            let (old, new) = (try await git.revision(old.branch), try await git.revision(new.branch))
            let expected = try await git(
                "diff-tree", "-r", "--no-renames", "--name-status", old.hex, new.hex
            ).split(separator: "\n").map { line in String(line.replacing("\t", with: " ")) }.sorted()
            let found = try repository.changes(from: old, to: new).map { change in
                let letter = [PathChange.Kind.added: "A", .removed: "D", .modified: "M"][change.kind] ?? "?"
                return "\(letter) \(change.path)"
            }.sorted()
            #expect(found == expected)
        }
    }

    @Test
    func historyContainsWhatLedToTheTip() async throws {
        try GitLibrary.isolateConfiguration()
        let folder = try TemporaryDirectory.required().path("amended")
        let git = try await GitCommandLine.initialize(folder)
        let first = try await git.commit(["a": "1"])
        let second = try await git.commit(["a": "2"])
        try await git("commit", "--amend", "--quiet", "-m", "Other words")
        let tip = try await git.revision("HEAD")
        let source = GitDefinitionSource(repository: try GitRepository(opening: folder))
        let missing = try ObjectID(hex: String(repeating: "0", count: 39) + "1")
        for (commit, expected) in [(tip, true), (first, true), (second, false), (missing, false)] {
            #expect(try await source.contains(commit, in: tip) == expected, "\(commit)")
        }
    }

    @Test
    func aBorderOfAShallowCloneIsNamed() async throws {
        try GitLibrary.isolateConfiguration()
        let directory = try TemporaryDirectory.required()
        let git = try await GitCommandLine.initialize(directory.path("full"))
        try await git.commit(["a": "1"])
        try await git.commit(["b": "1"])
        let tip = try await git.commit(["c": "1"])
        try await git("clone", "--quiet", "--depth=1", "file://" + directory.path("full"), directory.path("shallow"))
        let repository = try GitRepository(opening: directory.path("shallow"))
        let parent = try await git.revision("HEAD~1")
        #expect(throws: GitError(.unsupported, "read commit '\(parent.hex)'", "")) {
            try repository.lastCommits(touching: [[RepositoryPath("a")]], from: tip)
        }
    }
}
