// SPDX-License-Identifier: Apache-2.0

/// The files of one commit (or of a working folder), read only.
///
/// An entry whose name is not UTF-8 is left out, and so are all entries of one folder whose names are canonically equal
/// (`é` in two forms): their names could not be told apart.
///
/// Reading blocks; callers run off the main executor. Implementations may be used from several tasks at once.
public protocol SourceTree: Sendable {
    /// The entries of one folder, sorted by name; empty where there is no such folder.
    ///
    /// - Throws: `GitError` or `SourceError` when the folder cannot be read.
    func entries(in folder: RepositoryPath) throws -> [SourceEntry]

    /// The entry at a path, nil where there is none. Symbolic links are never followed.
    ///
    /// The root is a folder with an empty name and the id of the whole tree.
    ///
    /// - Throws: `GitError` or `SourceError` when the tree cannot be read.
    func entry(at path: RepositoryPath) throws -> SourceEntry?

    /// The bytes of a file.
    ///
    /// - Throws: `SourceError.tooLarge` when the file has more than `limit` bytes.
    func read(_ id: ObjectID, limit: Int) throws -> [UInt8]
}

/// One entry of a Git tree.
public struct SourceEntry: Hashable, Sendable {
    /// What an entry can be.
    public enum Kind: Hashable, Sendable {
        case file
        case executable
        case symlink
        case folder
        case submodule
    }

    /// The name within its folder.
    public var name: String
    /// What it is.
    public var kind: Kind
    /// The id of its blob, tree or commit.
    public var id: ObjectID

    /// An entry of a tree.
    public init(name: String, kind: Kind, id: ObjectID) {
        self.name = name
        self.kind = kind
        self.id = id
    }
}

/// A file of the source that cannot be read as asked.
public enum SourceError: Error, Hashable, Sendable {
    /// The file has more bytes than the reader accepts.
    case tooLarge(size: Int, limit: Int)
    /// No object of this id is there.
    case missing(ObjectID)
    /// The file system refused.
    case unreadable(path: String, reason: String)
}

extension SourceError: CustomStringConvertible {
    /// What is wrong with the file.
    public var description: String {
        switch self {
        case .tooLarge(let size, let limit): "the file has \(size) bytes, expected at most \(limit)"
        case .missing(let id): "object \(id.short) is missing"
        case .unreadable(let path, let reason): "failed to read '\(singleLine(path))': \(singleLine(reason))"
        }
    }
}
