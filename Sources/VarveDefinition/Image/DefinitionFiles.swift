// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The files that one definition reads: inside the repository, wherever a link leads, and never too large.
final class DefinitionFiles {
    /// What reading a file gives.
    enum Reading {
        case text(String)
        case missing
        /// Not a file or not text; already reported.
        case unreadable
    }

    /// How large image.yaml can be.
    static let imageLimit = 1 << 20
    /// How large any other file can be.
    static let fileLimit = 10 << 20
    /// How much one definition can read in all.
    static let totalLimit = 100 << 20

    let tree: any SourceTree
    /// The links that were followed, and what they lead to; their content counts wherever it stands.
    var linked: Set<RepositoryPath> = []
    /// How many links were followed.
    var followed = 0
    private var total = 0

    init(tree: any SourceTree) { self.tree = tree }

    /// The path that a text means in a file of `folder`; nil where it leaves the repository, which is reported.
    ///
    /// Links on the way are followed. A link at the end is left to whoever reads the file, because what a file names lies
    /// beside the link and not beside its target; `followsLast` follows it too.
    func resolve(
        _ text: String, in folder: RepositoryPath, followsLast: Bool = false, findings: Findings, at place: Place
    ) throws -> RepositoryPath? {
        let path: RepositoryPath
        do {
            path = try folder.resolving(text)
        } catch {
            findings.report(.outsideRepository, at: place, "the path \(quoted(text)) is not allowed: \(error.rule)")
            return nil
        }
        switch try follow(text, from: folder, followsLast: followsLast) {
        case .success(let destination): return destination.isLinked ? destination.path : path
        case .failure(let broken):
            findings.report(
                broken.isOutside ? .outsideRepository : .notAFile, at: place,
                "the path \(quoted(text)) is not allowed: \(broken.message)")
            return nil
        }
    }

    /// The text of a file.
    func text(at path: RepositoryPath, findings: Findings, referrer: Place) throws -> Reading {
        guard let entry = try tree.entry(at: path) else { return .missing }
        guard let bytes = try bytes(of: entry, at: path, findings: findings, referrer: referrer) else {
            return .unreadable
        }
        guard let text = Self.decode(bytes, file: path, findings: findings) else { return .unreadable }
        return .text(text)
    }

    /// The bytes of a file whose entry is known; nil where it is none or too large, which is reported.
    func bytes(
        of entry: SourceEntry, at path: RepositoryPath, limit: Int = fileLimit, findings: Findings,
        referrer: Place? = nil
    ) throws -> [UInt8]? {
        let place = referrer ?? Place(file: path)
        guard let entry = try file(entry, at: path, findings, place) else { return nil }
        do {
            let bytes = try tree.read(entry.id, limit: limit)
            total += bytes.count
            guard total <= Self.totalLimit else {
                findings.report(
                    .tooLarge, at: place, "the definition's files have more than \(Self.totalLimit) bytes in all")
                return nil
            }
            return bytes
        } catch SourceError.tooLarge(let size, let limit) {
            findings.report(.tooLarge, at: place, "the file has \(size) bytes; expected at most \(limit)")
            return nil
        }
    }

    /// The file that an entry is or leads to; nil where there is none, which is reported.
    private func file(
        _ entry: SourceEntry, at path: RepositoryPath, _ findings: Findings, _ place: Place
    ) throws -> SourceEntry? {
        var found = entry
        if entry.kind == .symlink {
            switch try follow(path.description, from: .root) {
            case .success(let destination): found = destination.entry ?? entry
            case .failure(let broken):
                findings.report(broken.isOutside ? .outsideRepository : .notAFile, at: place, broken.message)
                return nil
            }
        }
        if found.kind == .file || found.kind == .executable { return found }
        let kind = found.kind == .submodule ? "a submodule" : "a folder"
        let link = entry.kind == .symlink ? " by a symbolic link" : ""
        findings.report(.notAFile, at: place, "expected a file at \(quoted(path.description)), found \(kind)\(link)")
        return nil
    }

    /// The text that bytes hold; nil where they are no text, which is reported.
    static func decode(_ bytes: [UInt8], file: RepositoryPath, findings: Findings) -> String? {
        do {
            return try SourceText.decode(bytes)
        } catch {
            let position = error.offset.map { SourceText.position(after: bytes.prefix($0)) }
            findings.report(
                .encoding, at: Place(file: file, line: position?.line ?? 0, column: position?.column ?? 0),
                error.message,
                hint: "save the file as UTF-8"
            )
            return nil
        }
    }

    /// The tree id of a folder, nil where there is no folder.
    func folder(at path: RepositoryPath) throws -> ObjectID? {
        guard let entry = try tree.entry(at: path), entry.kind == .folder else { return nil }
        return entry.id
    }

    /// The names in a folder.
    func names(in folder: RepositoryPath) throws -> Set<String> { Set(try tree.entries(in: folder).map(\.name)) }

    /// The entries of a folder.
    func entries(in folder: RepositoryPath) throws -> [SourceEntry] { try tree.entries(in: folder) }

    /// The file of the same folder whose name is nearest.
    func nearestFile(to path: RepositoryPath) throws -> String? {
        guard let folder = path.parent else { return nil }
        let files = try tree.entries(in: folder).filter { $0.kind == .file || $0.kind == .executable }
        return nearestWord(to: path.name, among: files.map(\.name))
    }
}
