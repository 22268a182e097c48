// SPDX-License-Identifier: Apache-2.0

import CGit2
import Synchronization
public import VarveModel

/// The files of one commit.
///
/// Keeps the folders that were read last, at most some 65,000 entries, and no file content.
public final class GitTree: SourceTree {
    private let repository: GitRepository
    private let root: RawID
    private let folders = Mutex(FolderCache())

    init(_ repository: GitRepository, commit: RawID) throws(GitError) {
        self.repository = repository
        root = try repository.withHandle { (handle) throws(GitError) in try handle.commit(commit).tree }
    }

    /// The entries of one folder, sorted by the bytes of their names; empty where there is no such folder.
    ///
    /// - Throws: `GitError.corrupt`, `.notFound` when an object is damaged or missing.
    public func entries(in folder: RepositoryPath) throws -> [SourceEntry] {
        guard let id = try folderID(folder.components[...]) else { return [] }
        return try self.folder(id)
    }

    /// The entry at a path, nil where there is none; the root is a folder.
    ///
    /// - Throws: `GitError.corrupt`, `.notFound` when an object is damaged or missing.
    public func entry(at path: RepositoryPath) throws -> SourceEntry? {
        guard let name = path.components.last else {
            return SourceEntry(name: "", kind: .folder, id: try root.objectID())
        }
        guard let parent = try folderID(path.components.dropLast()) else { return nil }
        return find(name, in: try folder(parent))
    }

    /// The bytes of a file, whose size is known before it is read.
    ///
    /// - Throws: `SourceError.tooLarge`, `.missing`; `GitError.corrupt` when the object is damaged.
    public func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
        try repository.withHandle { (handle) throws(GitError) -> Result<[UInt8], SourceError> in
            let raw = RawID(id)
            guard let header = try handle.header(raw), header.kind == GIT_OBJECT_BLOB else {
                return .failure(.missing(id))
            }
            guard header.size <= limit else { return .failure(.tooLarge(size: header.size, limit: limit)) }
            return .success(try handle.object(raw).withBytes { Array($0) })
        }.get()
    }

    private func folderID(_ components: ArraySlice<String>) throws(GitError) -> RawID? {
        var id = root
        for name in components {
            guard let entry = find(name, in: try folder(id)), entry.kind == .folder else { return nil }
            id = RawID(entry.id)
        }
        return id
    }

    private func folder(_ id: RawID) throws(GitError) -> [SourceEntry] {
        if let known = folders.withLock({ $0[id] }) { return known }
        let raw = try repository.withHandle { (handle) throws(GitError) in try handle.entries(ofTree: id) }
        let entries = distinct(try raw.map { (entry) throws(GitError) in try SourceEntry(entry) }.compactMap { $0 })
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        folders.withLock { $0.insert(entries, for: id) }
        return entries
    }
}

/// Finds a name among entries that are sorted by the bytes of their names.
func find(_ name: String, in entries: [SourceEntry]) -> SourceEntry? {
    var low = 0
    var high = entries.count
    while low < high {
        let middle = (low + high) / 2
        if entries[middle].name.utf8.lexicographicallyPrecedes(name.utf8) { low = middle + 1 } else { high = middle }
    }
    // Not `==` on the strings: that holds texts equal whose bytes differ.
    guard low < entries.count, entries[low].name.utf8.elementsEqual(name.utf8) else { return nil }
    return entries[low]
}

/// Leaves out all entries whose names are the same text, though their bytes may differ (`é` in two forms): whoever keeps
/// entries by name could not tell them apart.
func distinct(_ entries: [SourceEntry]) -> [SourceEntry] {
    var seen: Set<String> = []
    var repeated: Set<String> = []
    for entry in entries where !seen.insert(entry.name).inserted { repeated.insert(entry.name) }
    return repeated.isEmpty ? entries : entries.filter { !repeated.contains($0.name) }
}

/// Folders by tree id, forgotten all at once when they become too many.
private struct FolderCache {
    private var folders: [RawID: [SourceEntry]] = [:]
    private var count = 0

    subscript(id: RawID) -> [SourceEntry]? { folders[id] }

    mutating func insert(_ entries: [SourceEntry], for id: RawID) {
        if count > 65_536 {
            folders.removeAll()
            count = 0
        }
        count += entries.count + 1
        folders[id] = entries
    }
}

extension SourceEntry {
    /// The entry as the model has it; nil for a mode that git does not write and for a name that is no text.
    fileprivate init?(_ entry: TreeEntry) throws(GitError) {
        guard let name = String(validating: entry.name, as: UTF8.self) else { return nil }
        let kind: Kind
        switch entry.mode & 0o170000 {
        case 0o100000: kind = entry.mode & 0o100 != 0 ? .executable : .file
        case 0o120000: kind = .symlink
        case 0o040000: kind = .folder
        case 0o160000: kind = .submodule
        default: return nil
        }
        self.init(name: name, kind: kind, id: try entry.id.objectID())
    }
}

extension GitRepository {
    /// The files of a commit.
    ///
    /// - Throws: `notFound`, `corrupt`.
    public func tree(of commit: ObjectID) throws(GitError) -> GitTree {
        try GitTree(self, commit: RawID(commit))
    }
}
