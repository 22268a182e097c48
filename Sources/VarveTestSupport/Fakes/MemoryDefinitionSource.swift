// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A linear history of definitions in memory.
public actor MemoryDefinitionSource: DefinitionSource {
    private var commits: [(id: ObjectID, tree: MemorySourceTree)] = []
    private var count = 0
    private var remote: String?
    private var fails = false
    private var gate: @Sendable () async -> Void = {}

    /// A repository without a commit.
    public init(address: String? = nil) { remote = address }

    /// Commits text files, by path; the whole tree is given.
    ///
    /// - Throws: `ValueError` when a path is not one of a repository.
    @discardableResult
    public func commit(_ texts: [String: String]) throws -> ObjectID {
        count += 1
        let digits = String(count, radix: 16)
        let id = try ObjectID(hex: String(repeating: "c", count: 40 - digits.count) + digits)
        commits.append((id, try MemorySourceTree(texts: texts)))
        return id
    }

    /// Replaces the last commit, as `git commit --amend` does.
    ///
    /// - Throws: `ValueError` when a path is not one of a repository.
    @discardableResult
    public func amend(_ texts: [String: String]) throws -> ObjectID {
        commits.removeLast()
        return try commit(texts)
    }

    /// Whether fetching fails from now on.
    public func fail(_ fails: Bool) { self.fails = fails }

    /// Takes what is waited for in each fetch from now on.
    public func onFetch(_ gate: @escaping @Sendable () async -> Void) { self.gate = gate }

    /// Does nothing, or fails.
    public func fetch() async throws {
        await gate()
        if fails { throw SourceError.unreadable(path: "remote", reason: "it does not answer") }
    }

    /// The last commit.
    public func tip() async throws -> ObjectID? { commits.last?.id }

    /// The tree of a commit.
    public func tree(of commit: ObjectID) async throws -> any SourceTree {
        guard let found = commits.first(where: { $0.id == commit }) else { throw SourceError.missing(commit) }
        return found.tree
    }

    /// The newest commit in which an entry differs from the commit before.
    public func lastCommits(touching pathSets: [[RepositoryPath]], from commit: ObjectID) async throws -> [ObjectID?] {
        guard let start = commits.firstIndex(where: { $0.id == commit }) else { throw SourceError.missing(commit) }
        return try pathSets.map { paths in
            for index in stride(from: start, through: 0, by: -1) {
                let new = try paths.map { try commits[index].tree.entry(at: $0)?.id }
                let old = try paths.map { path in index > 0 ? try commits[index - 1].tree.entry(at: path)?.id : nil }
                if new != old { return commits[index].id }
            }
            return nil
        }
    }

    /// Whether a commit stands before another one, or is it.
    public func contains(_ commit: ObjectID, in tip: ObjectID) async throws -> Bool {
        guard let end = commits.firstIndex(where: { $0.id == tip }) else { throw SourceError.missing(tip) }
        return commits[...end].contains { $0.id == commit }
    }

    /// The address that the test gave.
    public func address() async throws -> String? { remote }
}
