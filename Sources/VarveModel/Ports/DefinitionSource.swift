// SPDX-License-Identifier: Apache-2.0

/// The repository that definitions are read from.
public protocol DefinitionSource: Sendable {
    /// Brings the local copy of a remote repository up to date; does nothing for a local one.
    func fetch() async throws

    /// The commit to reconcile; nil where the repository has no commit yet.
    func tip() async throws -> ObjectID?

    /// The files of a commit.
    func tree(of commit: ObjectID) async throws -> any SourceTree

    /// For each set of paths, the commit that `git log -1 <commit> -- <paths>` prints; nil where there is none.
    func lastCommits(touching pathSets: [[RepositoryPath]], from commit: ObjectID) async throws -> [ObjectID?]

    /// Whether a commit is the tip or one of its ancestors; false where there is no such commit.
    func contains(_ commit: ObjectID, in tip: ObjectID) async throws -> Bool

    /// Where people find the repository: its remote's address without credentials; nil for one without a remote.
    func address() async throws -> String?
}
