// SPDX-License-Identifier: Apache-2.0

import CGit2
import Glibc
import Synchronization
public import VarveModel

/// The files of a folder as they stand, for checking definitions before they are committed.
///
/// Ids are those that git would give, without filters and without regard to `.gitignore`; folders without a file are
/// left out, as git leaves them out, and so are `.git`, sockets, devices, and names as `SourceTree` leaves them out. No symbolic link is ever followed. Reads
/// are by id, as for any tree: the files of the folders that were listed can be read.
public final class WorkingTree: SourceTree {
    private struct State {
        /// What each folder held when it was listed first: one view for as long as the value lives.
        var folders: [RepositoryPath: [SourceEntry]] = [:]
        var paths: [ObjectID: RepositoryPath] = [:]
    }

    private let root: Descriptor
    private let state = Mutex(State())

    /// Opens a folder.
    ///
    /// - Throws: `SourceError.unreadable` when there is no such folder.
    public init(_ path: String) throws {
        try GitLibrary.start()
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SourceError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        root = Descriptor(descriptor)
    }

    /// The entries of one folder, sorted by the bytes of their names; empty where there is no such folder.
    ///
    /// - Throws: `SourceError.unreadable`.
    public func entries(in folder: RepositoryPath) throws -> [SourceEntry] {
        if let known = state.withLock({ $0.folders[folder] }) { return known }
        guard let descriptor = try openFolder(folder) else { return [] }
        return try list(folder, descriptor)
    }

    /// The entry at a path, nil where there is none; the root is a folder.
    ///
    /// - Throws: `SourceError.unreadable`.
    public func entry(at path: RepositoryPath) throws -> SourceEntry? {
        guard let parent = path.parent else {
            return SourceEntry(name: "", kind: .folder, id: try treeID(try entries(in: .root)))
        }
        return find(path.name, in: try entries(in: parent))
    }

    /// The bytes of a file that was listed; they must still be those that gave it its id.
    ///
    /// - Throws: `SourceError.tooLarge`, `.missing`, `.unreadable`.
    public func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
        guard let path = state.withLock({ $0.paths[id] }), let parent = path.parent,
            let folder = try openFolder(parent)
        else { throw SourceError.missing(id) }
        let bytes = try contents(of: path, in: folder, limit: limit)
        guard try hash(bytes, GIT_OBJECT_BLOB) == id else {
            throw SourceError.unreadable(path: path.description, reason: "it changed while it was read")
        }
        return bytes
    }

    // MARK: - Listing

    private func list(_ folder: RepositoryPath, _ descriptor: Descriptor) throws -> [SourceEntry] {
        var entries: [SourceEntry] = []
        for name in try names(in: descriptor, folder) {
            // A name that the model refuses, `.git` above all, is no part of the tree.
            guard let path = try? folder.appending(name), let entry = try entry(path, in: descriptor) else { continue }
            entries.append(entry)
        }
        entries = distinct(entries)
        entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        state.withLock { $0.folders[folder] = entries }
        return entries
    }

    private func entry(_ path: RepositoryPath, in folder: Descriptor) throws -> SourceEntry? {
        var status = stat()
        guard fstatat(folder.number, path.name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw failure(path) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            guard let child = try open(path, in: folder, O_DIRECTORY) else { return nil }
            let entries = try list(path, child)
            return entries.isEmpty ? nil : SourceEntry(name: path.name, kind: .folder, id: try treeID(entries))
        case S_IFREG:
            guard let file = try open(path, in: folder, O_NONBLOCK) else { return nil }
            var oid = git_oid()
            // The descriptor's own name leads libgit2 to the very file that was opened, and it reads it in pieces.
            let result = git_odb_hashfile(&oid, "/proc/self/fd/\(file.number)", GIT_OBJECT_BLOB)
            guard result >= 0 else { throw failure(path) }
            let isExecutable = status.st_mode & S_IXUSR != 0
            return try remember(path, isExecutable ? .executable : .file, try RawID(oid).objectID())
        case S_IFLNK:
            return try remember(path, .symlink, try hash(try target(of: path, in: folder), GIT_OBJECT_BLOB))
        default: return nil
        }
    }

    private func remember(_ path: RepositoryPath, _ kind: SourceEntry.Kind, _ id: ObjectID) throws -> SourceEntry {
        state.withLock { $0.paths[id] = path }
        return SourceEntry(name: path.name, kind: kind, id: id)
    }

    private func names(in folder: Descriptor, _ path: RepositoryPath) throws -> [String] {
        let copy = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw failure(path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    // MARK: - Reading

    /// Opens a folder step by step, so that no component is a symbolic link; nil where there is none.
    private func openFolder(_ path: RepositoryPath) throws -> Descriptor? {
        var current = root
        var walked = RepositoryPath.root
        for name in path.components {
            walked = try walked.appending(name)
            guard let next = try open(walked, in: current, O_DIRECTORY) else { return nil }
            current = next
        }
        return current
    }

    private func open(_ path: RepositoryPath, in folder: Descriptor, _ flags: Int32) throws -> Descriptor? {
        let number = openat(folder.number, path.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags)
        if number >= 0 { return Descriptor(number) }
        if [ENOENT, ENOTDIR, ELOOP].contains(errno) { return nil }
        throw failure(path)
    }

    private func contents(of path: RepositoryPath, in folder: Descriptor, limit: Int) throws -> [UInt8] {
        guard let file = try open(path, in: folder, O_NONBLOCK) else { return try target(of: path, in: folder) }
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SourceError.unreadable(path: path.description, reason: "it is no file any more")
        }
        guard status.st_size <= limit else { throw SourceError.tooLarge(size: Int(status.st_size), limit: limit) }
        var bytes: [UInt8] = []
        while bytes.count <= limit {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
                count = Glibc.read(file.number, buffer.baseAddress, buffer.count)
                initialized = max(count, 0)
            }
            guard count >= 0 else { throw failure(path) }
            if count == 0 { break }
            bytes += piece
        }
        guard bytes.count <= limit else { throw SourceError.tooLarge(size: bytes.count, limit: limit) }
        return bytes
    }

    private func target(of path: RepositoryPath, in folder: Descriptor) throws -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, initialized in
            count = buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlinkat(folder.number, path.name, $0, text.count) } ?? -1
            }
            initialized = max(count, 0)
        }
        guard count >= 0 else { throw failure(path) }
        return bytes
    }

    private func failure(_ path: RepositoryPath) -> SourceError {
        .unreadable(path: path.description, reason: String(cString: strerror(errno)))
    }

    // MARK: - Ids

    private func hash(_ bytes: [UInt8], _ kind: git_object_t) throws -> ObjectID {
        var oid = git_oid()
        try check(git_odb_hash(&oid, bytes, bytes.count, kind), "compute an object id")
        return try RawID(oid).objectID()
    }

    private func treeID(_ entries: [SourceEntry]) throws -> ObjectID {
        let entries = entries.map { entry in
            let mode: UInt32 =
                switch entry.kind {
                case .file: TreeEntry.fileMode
                case .executable: 0o100755
                case .symlink: 0o120000
                case .folder: TreeEntry.folderMode
                case .submodule: 0o160000
                }
            return TreeEntry(mode: mode, name: Array(entry.name.utf8), id: RawID(entry.id))
        }
        return try hash(TreeEntry.encode(entries), GIT_OBJECT_TREE)
    }
}

/// An open file, closed with the value.
private final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}
