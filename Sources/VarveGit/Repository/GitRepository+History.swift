// SPDX-License-Identifier: Apache-2.0

import CGit2
public import VarveModel

/// The parts of a commit that walks need.
struct CommitNode: Sendable {
    var id: RawID
    var tree: RawID
    var parents: [RawID]
    var time: Int64
}

extension RepositoryHandle {
    /// Reads a commit.
    func commit(_ id: RawID) throws(GitError) -> CommitNode {
        var oid = id.oid
        var commit: OpaquePointer?
        let status = git_commit_lookup(&commit, pointer, &oid)
        if status == GIT_ENOTFOUND.rawValue, git_repository_is_shallow(pointer) == 1 {
            throw GitError(
                .unsupported, "read commit '\(id.hex)'",
                "the clone is shallow, and libgit2 cannot tell its border; run: git fetch --unshallow")
        }
        try check(status, "read commit '\(id.hex)'")
        defer { git_commit_free(commit) }
        guard let tree = git_commit_tree_id(commit) else {
            throw GitError(.corrupt, "read commit '\(id.hex)'", "no tree")
        }
        let parents = (0..<git_commit_parentcount(commit)).compactMap { git_commit_parent_id(commit, $0) }
        return CommitNode(
            id: id, tree: RawID(tree), parents: parents.map { RawID($0) }, time: git_commit_time(commit))
    }

    /// Whether one commit is an ancestor of another.
    func isAncestor(_ ancestor: RawID, of commit: RawID) throws(GitError) -> Bool {
        var descendant = commit.oid
        var ancestor = ancestor.oid
        let status = git_graph_descendant_of(pointer, &descendant, &ancestor)
        return try check(status, "compare commits '\(commit.hex)' and '\(RawID(ancestor).hex)'") == 1
    }

    /// For each path set, the commit that `git log -1 <tip> -- <paths>` prints, nil where there is none.
    ///
    /// git's rule: from the tip, follow the first parent that has the same paths, else stop. All sets walk together
    /// while they follow the same parents, so a linear history is read once, whatever the number of sets.
    func lastCommits(touching pathSets: [[RepositoryPath]], from tip: RawID) throws(GitError) -> [RawID?] {
        let index = PathIndex(pathSets)
        var result = [RawID?](repeating: nil, count: pathSets.count)
        var walk = HistoryWalk()
        walk.add(Set(pathSets.indices.filter { !pathSets[$0].isEmpty }), at: try commit(tip))
        while let next = walk.next() {
            let commit = next.0
            var sets = next.1
            for parentID in commit.parents where !sets.isEmpty {
                let parent = try self.commit(parentID)
                let changed = try changedSets(of: index, parent.tree, commit.tree, among: sets)
                // The many that did not change move on without being copied.
                var unchanged = sets
                sets = []
                for set in changed { unchanged.remove(set) }
                walk.add(unchanged, at: parent)
                sets = changed
            }
            if commit.parents.isEmpty {
                sets = try changedSets(of: index, nil, commit.tree, among: sets)
            }
            for set in sets { result[set] = commit.id }
        }
        return result
    }

    /// Which of the sets have a path whose entry differs between two trees.
    private func changedSets(
        of index: PathIndex, _ old: RawID?, _ new: RawID, among sets: Set<Int>
    ) throws(GitError) -> Set<Int> {
        var changed: Set<Int> = []
        try collectChanges(under: index.root, old, new, among: sets, into: &changed)
        return changed
    }

    private func collectChanges(
        under node: PathIndex.Node, _ old: RawID?, _ new: RawID?, among sets: Set<Int>, into changed: inout Set<Int>
    ) throws(GitError) {
        if old == new { return }
        for set in node.sets where sets.contains(set) { changed.insert(set) }
        if node.children.isEmpty { return }
        var found: [[UInt8]: (old: RawID?, new: RawID?)] = [:]
        try compareTrees(old, new) { (old, new) throws(GitError) in
            guard let name = old?.name ?? new?.name, let child = node.children[name] else { return }
            for set in child.sets where sets.contains(set) { changed.insert(set) }
            // A folder that became a file is reported twice; both halves belong to the one path.
            var sides = found[name] ?? (nil, nil)
            if let old, old.isFolder { sides.old = old.id }
            if let new, new.isFolder { sides.new = new.id }
            found[name] = sides
        }
        for (name, sides) in found {
            guard let child = node.children[name], !child.children.isEmpty else { continue }
            try collectChanges(under: child, sides.old, sides.new, among: sets, into: &changed)
        }
    }
}

/// All paths of all sets as one tree of names, each with the sets that it belongs to.
private struct PathIndex {
    final class Node {
        var children: [[UInt8]: Node] = [:]
        var sets: [Int] = []
    }

    let root = Node()

    init(_ pathSets: [[RepositoryPath]]) {
        for (set, paths) in pathSets.enumerated() {
            for path in paths {
                var node = root
                for component in path.components {
                    let name = Array(component.utf8)
                    let child = node.children[name] ?? Node()
                    node.children[name] = child
                    node = child
                }
                node.sets.append(set)
            }
        }
    }
}

/// The commits still to be looked at, newest first, each with the sets that have arrived there.
///
/// The order only saves work, by letting sets meet again below a merge; the answer does not depend on it.
private struct HistoryWalk {
    private var waiting: [RawID: (node: CommitNode, sets: Set<Int>)] = [:]

    mutating func add(_ sets: Set<Int>, at node: CommitNode) {
        if sets.isEmpty { return }
        guard var known = waiting.removeValue(forKey: node.id) else {
            waiting[node.id] = (node, sets)
            return
        }
        known.sets.formUnion(sets)
        waiting[node.id] = known
    }

    mutating func next() -> (CommitNode, Set<Int>)? {
        guard let newest = waiting.max(by: { ($0.value.node.time, $0.key) < ($1.value.node.time, $1.key) })?.key,
            let found = waiting.removeValue(forKey: newest)
        else { return nil }
        return (found.node, found.sets)
    }
}

extension GitRepository {
    /// For each set of paths, the commit that `git log -1 <commit> -- <paths>` prints; nil where there is none.
    ///
    /// All sets are answered in one walk. An empty set has no commit.
    ///
    /// - Throws: `notFound`, `corrupt`; `unsupported` when the walk meets the border of a shallow clone.
    public func lastCommits(
        touching pathSets: [[RepositoryPath]], from commit: ObjectID
    ) throws(GitError) -> [ObjectID?] {
        try withHandle { (handle) throws(GitError) in
            try handle.lastCommits(touching: pathSets, from: RawID(commit)).map { (id) throws(GitError) in
                try id?.objectID()
            }
        }
    }
}
