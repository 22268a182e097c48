// SPDX-License-Identifier: Apache-2.0

import CGit2
public import VarveModel

/// A file that differs between two commits.
public struct PathChange: Hashable, Sendable {
    /// What happened to the file.
    public enum Kind: Hashable, Sendable {
        case added
        case removed
        case modified
    }

    /// The path.
    public var path: RepositoryPath
    /// What happened to it.
    public var kind: Kind

    /// A file that differs.
    public init(path: RepositoryPath, kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

extension RepositoryHandle {
    /// Collects the files that differ between two trees; folders of equal id are not read.
    func collectChanges(
        _ old: RawID?, _ new: RawID?, under folder: RepositoryPath, into changes: inout [PathChange]
    ) throws(GitError) {
        var folders: [(RepositoryPath, RawID?, RawID?)] = []
        try compareTrees(old, new) { (old, new) throws(GitError) in
            guard let name = old?.name ?? new?.name else { return }
            // A name that is no text or that the model refuses (`..`, `.git`) can be in no definition.
            guard let text = String(validating: name, as: UTF8.self), let path = try? folder.appending(text) else {
                return
            }
            if (old ?? new)?.isFolder == true {
                folders.append((path, old?.id, new?.id))
            } else {
                let kind: PathChange.Kind = old == nil ? .added : new == nil ? .removed : .modified
                changes.append(PathChange(path: path, kind: kind))
            }
        }
        for (path, old, new) in folders { try collectChanges(old, new, under: path, into: &changes) }
    }
}

extension GitRepository {
    /// The files that differ between two commits, sorted by path; nil stands for the empty tree.
    ///
    /// A rename is a removal and an addition; a file that became a folder likewise.
    public func changes(from old: ObjectID?, to new: ObjectID) throws(GitError) -> [PathChange] {
        try withHandle { (handle) throws(GitError) in
            let oldTree = try old.map { (id) throws(GitError) in try handle.commit(RawID(id)).tree }
            var changes: [PathChange] = []
            try handle.collectChanges(
                oldTree, try handle.commit(RawID(new)).tree, under: .root, into: &changes)
            return changes.sorted { $0.path < $1.path }
        }
    }
}
