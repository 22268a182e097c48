// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemPackage
import VarveModel

/// The folder on the host that one step finds below `/run/varve`.
///
/// What is written comes from a definition, and two names of a hostile Git tree may be one file. So nothing that is there
/// is ever opened or changed: every file and folder is made anew, and symbolic links are made after all else, so that no
/// path leads through one. No other user can enter the folder.
struct Scratch: Sendable {
    /// The folder's path.
    let path: String
    private let limits: Limits

    /// How much a step may be given.
    struct Limits: Sendable {
        /// Levels of folders below a source.
        var depth = 64
        /// Files, folders and links.
        var entries = 250_000
        /// Bytes of all files.
        var bytes = 2 << 30
    }

    /// Makes a folder of a random name below `parent`.
    init(in parent: String, limits: Limits = Limits()) throws {
        path = parent + "/step-" + String(UInt64.random(in: .min ... .max), radix: 36)
        self.limits = limits
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try Self.createFolder(path, mode: 0o700)
            for (name, mode) in [("step", 0o755), ("scratch", 0o1777), ("build", 0o1777)] as [(String, mode_t)] {
                try Self.createFolder(path + "/" + name, mode: mode)
            }
        } catch {
            throw BuildFailure.ofFile(error, verb: "create", path: path)
        }
    }

    /// Removes the folder.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes what a step is given; to be called once.
    ///
    /// - Throws: `BuildFailure`; of class `definition` when two entries have one name or there is too much of them.
    func write(_ step: Step, from sources: any SourceTree) throws {
        var writing = Writing(root: path, sources: sources, limits: limits)
        do {
            for file in step.files { try writing.write(file) }
            for source in step.sources {
                let found = try sources.entry(at: source.path)
                guard source.path == .root || found?.id == source.tree else {
                    throw BuildFailure(
                        .unknown, message: "failed to read '\(source.path)': it is not what was planned"
                    )
                }
                // A repository path, because the name comes from the definition.
                let target = "step/src/" + source.name
                if source.path != .root, let id = found?.id, found?.kind != .folder {
                    try writing.write(Step.File(path: target, content: .blob(id)))
                } else {
                    try writing.copy(source.path, to: RepositoryPath(target), depth: 0)
                }
            }
            try writing.finish()
        } catch {
            throw BuildFailure.ofFile(error, verb: "write", path: path)
        }
    }

    /// Makes a folder that is not there yet.
    fileprivate static func createFolder(_ path: String, mode: mode_t) throws {
        // The mode outright, since the process's mask would narrow it.
        guard mkdir(path, 0o700) == 0, chmod(path, mode) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Sets the mode of a folder of varve's own outright, since the process's mask would narrow it.
    static func setMode(_ path: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}

/// One writing of what a step is given.
private struct Writing {
    let root: String
    let sources: any SourceTree
    let limits: Scratch.Limits
    var links: [(path: RepositoryPath, target: String)] = []
    var entries = 0
    var bytes = 0

    init(root: String, sources: any SourceTree, limits: Scratch.Limits) {
        self.root = root
        self.sources = sources
        self.limits = limits
    }

    mutating func write(_ file: Step.File) throws {
        let target = try RepositoryPath(file.path)
        try createParents(of: target)
        try write(file.content, isExecutable: file.isExecutable, to: target)
    }

    mutating func copy(_ folder: RepositoryPath, to target: RepositoryPath, depth: Int) throws {
        guard depth <= limits.depth else {
            throw Self.failure(target, "it is deeper than \(limits.depth) folders")
        }
        if depth == 0 { try createParents(of: target) }
        try count(target)
        try Self.naming(target) { try Scratch.createFolder(full(target), mode: 0o755) }
        for entry in try sources.entries(in: folder) {
            let child = try target.appending(entry.name)
            switch entry.kind {
            case .folder: try copy(folder.appending(entry.name), to: child, depth: depth + 1)
            case .file: try write(.blob(entry.id), isExecutable: false, to: child)
            case .executable: try write(.blob(entry.id), isExecutable: true, to: child)
            case .symlink: try write(.symlink(entry.id), isExecutable: false, to: child)
            case .submodule: throw Self.failure(folder, "it holds the submodule '\(entry.name)'", verb: "copy")
            }
        }
    }

    /// Makes the symbolic links, now that nothing is written any more.
    func finish() throws {
        for link in links {
            try Self.naming(link.path) {
                guard symlink(link.target, full(link.path)) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }

    private mutating func write(_ content: Step.File.Content, isExecutable: Bool, to target: RepositoryPath) throws {
        try count(target)
        let data: [UInt8]
        switch content {
        case .bytes(let own): data = own
        case .blob(let id): data = try read(id, limit: min(1 << 30, limits.bytes - bytes), for: target)
        case .symlink(let id):
            let link = String(decoding: try read(id, limit: 4095, for: target), as: UTF8.self)
            guard !link.isEmpty, !link.utf8.contains(0) else { throw Self.failure(target, "the link leads nowhere") }
            links.append((target, link))
            return
        }
        bytes += data.count
        try Self.naming(target) {
            let file = try FileDescriptor.open(
                FilePath(full(target)), .writeOnly,
                options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: .ownerReadWrite
            )
            try file.closeAfter {
                try file.writeAll(data)
                guard fchmod(file.rawValue, isExecutable ? 0o755 : 0o644) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }

    private func read(_ id: ObjectID, limit: Int, for target: RepositoryPath) throws -> [UInt8] {
        do {
            return try sources.read(id, limit: limit)
        } catch let error as SourceError {
            guard case .tooLarge = error else { throw error }
            throw Self.failure(target, "\(error)")
        }
    }

    /// Makes the folders above a file; those of the build folder can be written by any user of the image.
    private func createParents(of file: RepositoryPath) throws {
        var folder = RepositoryPath.root
        for component in file.components.dropLast() {
            folder = try folder.appending(component)
            do {
                try Scratch.createFolder(full(folder), mode: folder.components[0] == "build" ? 0o1777 : 0o755)
            } catch Errno.fileExists {
                // Made before: a folder, or else a file below which nothing can be made.
            }
        }
    }

    private mutating func count(_ target: RepositoryPath) throws {
        entries += 1
        guard entries <= limits.entries else {
            throw Self.failure(target, "a step is given at most \(limits.entries) files and folders")
        }
    }

    private func full(_ target: RepositoryPath) -> String { "\(root)/\(target)" }

    private static func naming(_ target: RepositoryPath, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as Errno where error == .fileExists || error == .notDirectory {
            throw failure(target, "two entries have this name")
        }
    }

    private static func failure(_ path: RepositoryPath, _ cause: String, verb: String = "write") -> BuildFailure {
        BuildFailure(.definition, message: "failed to \(verb) '\(path)': \(cause)")
    }
}
