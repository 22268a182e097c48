// SPDX-License-Identifier: Apache-2.0

import Crypto
public import VarveModel

/// A source tree in memory, with the ids that Git would give its blobs and trees.
public struct MemorySourceTree: SourceTree {
    /// What stands at a path.
    public enum File: Sendable {
        case file([UInt8], isExecutable: Bool = false)
        case symlink(String)
        case submodule(ObjectID)
    }

    private var files: [RepositoryPath: File]
    private var folders: [RepositoryPath: [SourceEntry]] = [:]
    private var roots: [RepositoryPath: ObjectID] = [:]
    private var blobs: [ObjectID: [UInt8]] = [:]

    /// A tree of the given files, by path.
    ///
    /// - Throws: `ValueError` when a path is not one of the repository.
    public init(_ files: [String: File]) throws {
        self.files = [:]
        for (path, file) in files { self.files[try RepositoryPath(path)] = file }
        try rebuild()
    }

    /// A tree of text files, by path.
    ///
    /// - Throws: `ValueError` when a path is not one of the repository.
    public init(texts: [String: String]) throws {
        try self.init(texts.mapValues { .file(Array($0.utf8)) })
    }

    /// The entries of one folder, sorted by name.
    public func entries(in folder: RepositoryPath) throws -> [SourceEntry] { folders[folder] ?? [] }

    /// The entry at a path; the root is a folder without a name.
    public func entry(at path: RepositoryPath) throws -> SourceEntry? {
        guard let parent = path.parent else {
            return roots[.root].map { SourceEntry(name: "", kind: .folder, id: $0) }
        }
        return folders[parent]?.first { $0.name == path.name }
    }

    /// The bytes of a file.
    public func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
        guard let bytes = blobs[id] else { throw SourceError.missing(id) }
        guard bytes.count <= limit else { throw SourceError.tooLarge(size: bytes.count, limit: limit) }
        return bytes
    }

    private mutating func rebuild() throws {
        var children: [RepositoryPath: Set<RepositoryPath>] = [.root: []]
        for path in files.keys {
            var current = path
            while let parent = current.parent {
                children[parent, default: []].insert(current)
                current = parent
            }
        }
        // The longest paths first, so that a folder's trees are known before its own id is made.
        for folder in children.keys.sorted(by: { $0.components.count > $1.components.count }) {
            var entries: [SourceEntry] = []
            for path in children[folder] ?? [] {
                switch files[path] {
                case .file(let bytes, let isExecutable):
                    let id = try Self.id(of: "blob", bytes)
                    blobs[id] = bytes
                    entries.append(SourceEntry(name: path.name, kind: isExecutable ? .executable : .file, id: id))
                case .symlink(let target):
                    let bytes = Array(target.utf8)
                    let id = try Self.id(of: "blob", bytes)
                    blobs[id] = bytes
                    entries.append(SourceEntry(name: path.name, kind: .symlink, id: id))
                case .submodule(let id):
                    entries.append(SourceEntry(name: path.name, kind: .submodule, id: id))
                case nil:
                    if let id = roots[path] { entries.append(SourceEntry(name: path.name, kind: .folder, id: id)) }
                }
            }
            roots[folder] = try Self.id(of: "tree", Self.treeBytes(entries))
            folders[folder] = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
    }

    /// Git's encoding of a tree: entries ordered as if the names of folders ended in `/`.
    private static func treeBytes(_ entries: [SourceEntry]) -> [UInt8] {
        func sortKey(_ entry: SourceEntry) -> [UInt8] { Array((entry.name + (entry.kind == .folder ? "/" : "")).utf8) }
        var bytes: [UInt8] = []
        for entry in entries.sorted(by: { sortKey($0).lexicographicallyPrecedes(sortKey($1)) }) {
            let mode =
                switch entry.kind {
                case .file: "100644"
                case .executable: "100755"
                case .symlink: "120000"
                case .folder: "40000"
                case .submodule: "160000"
                }
            bytes += (mode + " " + entry.name).utf8
            bytes.append(0)
            let digits = Array(entry.id.hex)
            for index in stride(from: 0, to: digits.count, by: 2) {
                bytes.append(UInt8(String(digits[index...(index + 1)]), radix: 16) ?? 0)
            }
        }
        return bytes
    }

    private static func id(of kind: String, _ bytes: [UInt8]) throws -> ObjectID {
        var hash = Insecure.SHA1()
        hash.update(data: Array("\(kind) \(bytes.count)".utf8) + [0])
        hash.update(data: bytes)
        let hex = hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return try ObjectID(hex: hex.joined())
    }
}
