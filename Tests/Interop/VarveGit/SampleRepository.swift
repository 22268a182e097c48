// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

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
