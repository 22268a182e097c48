// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// The folder on the host that one step finds below `/run/varve`.
struct Scratch: Sendable {
    /// The folder's path.
    let path: String

    /// Makes a folder of a random name below `parent`.
    init(in parent: String) throws {
        path = parent + "/step-" + String(UInt64.random(in: .min ... .max), radix: 36)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, mode) in [("step", 0o755), ("scratch", 0o1777), ("build", 0o1777)] {
                try Self.createFolder(path + "/" + name, mode: mode)
            }
        } catch {
            throw BuildFailure.ofFile(error, verb: "create", path: path)
        }
    }

    /// Removes the folder.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes what a step is given.
    ///
    /// - Throws: `BuildFailure` when a blob or a folder of the source is missing, is not the one that the content names, or
    ///   cannot be written.
    func write(_ step: Step, from sources: any SourceTree) throws {
        do {
            for file in step.files { try write(file, from: sources) }
            for source in step.sources {
                let found = try sources.entry(at: source.path)
                guard source.path == .root || found?.id == source.tree else {
                    throw BuildFailure(
                        .unknown, message: "failed to read folder '\(source.path)': it is not the one that was planned"
                    )
                }
                // A repository path, because the name comes from the definition.
                try copy(source.path, to: RepositoryPath("step/src/" + source.name), from: sources)
            }
        } catch {
            throw BuildFailure.ofFile(error, verb: "write", path: path)
        }
    }

    private func write(_ file: Step.File, from sources: any SourceTree) throws {
        let relative = try RepositoryPath(file.path)
        try createParents(of: relative)
        let target = path + "/\(relative)"
        switch file.content {
        case .bytes(let bytes): try Data(bytes).write(to: URL(filePath: target))
        case .blob(let id): try Data(sources.read(id, limit: 1 << 30)).write(to: URL(filePath: target))
        case .symlink(let id):
            let link = String(decoding: try sources.read(id, limit: 4096), as: UTF8.self)
            try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: link)
            return
        }
        try Self.setMode(target, file.isExecutable ? 0o755 : 0o644)
    }

    private func copy(_ folder: RepositoryPath, to target: RepositoryPath, from sources: any SourceTree) throws {
        try createParents(of: target)
        try Self.createFolder(path + "/\(target)", mode: 0o755)
        for entry in try sources.entries(in: folder) {
            let child = try target.appending(entry.name)
            switch entry.kind {
            case .folder: try copy(folder.appending(entry.name), to: child, from: sources)
            case .file: try write(Step.File(path: "\(child)", content: .blob(entry.id)), from: sources)
            case .executable:
                try write(Step.File(path: "\(child)", content: .blob(entry.id), isExecutable: true), from: sources)
            case .symlink: try write(Step.File(path: "\(child)", content: .symlink(entry.id)), from: sources)
            case .submodule:
                throw BuildFailure(
                    .definition, message: "failed to copy '\(folder)': it holds the submodule '\(entry.name)'")
            }
        }
    }

    /// Makes the folders above a file; those of the build folder can be written by any user of the image.
    private func createParents(of file: RepositoryPath) throws {
        var folder = RepositoryPath.root
        for component in file.components.dropLast() {
            folder = try folder.appending(component)
            let path = path + "/\(folder)"
            if !FileManager.default.fileExists(atPath: path) {
                try Self.createFolder(path, mode: folder.components[0] == "build" ? 0o1777 : 0o755)
            }
        }
    }

    private static func createFolder(_ path: String, mode: Int) throws {
        if !FileManager.default.fileExists(atPath: path) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        try setMode(path, mode)
    }

    /// Sets the mode outright, since the process's mask would narrow it.
    static func setMode(_ path: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}
