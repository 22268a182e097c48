// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Reads the definitions of one commit.
///
/// A folder that holds `image.yaml` is an image. Only files of definitions, and what they name, are read; files that
/// `inputs` matches are taken by their id alone. A broken definition never hides the others.
public struct DefinitionReader: Sendable {
    private let tree: any SourceTree
    private let hostPlatform: Platform

    /// Reads from a tree; images that name no platform are for the host's.
    public init(tree: any SourceTree, hostPlatform: Platform) {
        self.tree = tree
        self.hostPlatform = hostPlatform
    }

    /// Reads every definition of the tree.
    ///
    /// CPU-heavy and blocking: call it off the main executor.
    ///
    /// - Throws: only when the tree itself cannot be read, or has more than 100,000 folders; everything that is wrong with
    ///   a definition is in the fleet.
    public func readFleet() throws -> Fleet {
        var file = try FleetFile(tree: tree, hostPlatform: hostPlatform)
        let (folders, refused) = try collect(by: &file)
        guard file.diagnostics.isEmpty else { return try brokenFleet(folders, refused, file) }
        var images = try folders.map { folder in
            try ImageReader(tree: tree, hostPlatform: hostPlatform, folder: folder, fleet: file).read()
        }
        FleetCheck.check(&images, by: file)
        var fleet = Fleet(images: [], invalid: refused)
        for image in images {
            if !image.warnings.isEmpty { fleet.warnings[image.folder.path] = image.warnings }
            if let definition = image.definition, image.diagnostics.isEmpty {
                fleet.images.append(definition)
            } else {
                fleet.invalid.append(
                    InvalidDefinition(
                        name: image.name, folder: image.folder.path, tree: image.folder.tree,
                        diagnostics: image.diagnostics
                    )
                )
            }
        }
        return Fleet(images: fleet.images, invalid: fleet.invalid, warnings: fleet.warnings)
    }

    /// What is left of a fleet whose `varve.yaml` cannot be read: no image can be said to keep to it.
    private func brokenFleet(
        _ folders: [ImageFolder], _ refused: [InvalidDefinition], _ file: FleetFile
    ) throws -> Fleet {
        let invalid = try folders.map { folder in
            let image = try ImageReader(tree: tree, hostPlatform: hostPlatform, folder: folder, fleet: file).read()
            return InvalidDefinition(
                name: image.name, folder: folder.path, tree: folder.tree, diagnostics: file.diagnostics)
        }
        return Fleet(images: [], invalid: refused + invalid, fileDiagnostics: file.diagnostics)
    }

    /// The folders of images where `varve.yaml` says that they lie.
    private func collect(by file: inout FleetFile) throws -> ([ImageFolder], [InvalidDefinition]) {
        var folders: [ImageFolder] = []
        var refused: [InvalidDefinition] = []
        let patterns = file.diagnostics.isEmpty ? file.definitions : nil
        let unmatched = try collect(.root, below: patterns?.map(\.pattern), into: &folders, refused: &refused)
        guard let patterns, !unmatched.isEmpty else { return (folders, refused) }
        // To go on without the folder would look as if its images had been removed.
        let findings = Findings()
        for index in unmatched {
            let value = patterns[index].value
            findings.report(
                .definitionsWithoutMatch, at: value.place,
                "there is no folder \(quoted(value.text ?? "")) in this repository",
                hint: suggestion(
                    for: value.text ?? "", among: try tree.entries(in: .root).filter { $0.kind == .folder }.map(\.name))
            )
        }
        file.diagnostics = findings.sorted
        return try collect(by: &file)
    }

    /// Reads the definitions at and below some paths; a path may also be a file of a definition.
    ///
    /// The whole tree is read, so that bases, names and cycles are judged as for the whole fleet.
    ///
    /// - Throws: as `readFleet()`.
    public func readFleet(below paths: [RepositoryPath]) throws -> Fleet {
        let fleet = try readFleet()
        func isAsked(_ folder: RepositoryPath) -> Bool {
            paths.contains { $0.contains(folder) || folder.contains($0) && isInside($0, of: folder, fleet) }
        }
        return Fleet(
            images: fleet.images.filter { isAsked($0.folder) }, invalid: fleet.invalid.filter { isAsked($0.folder) },
            warnings: fleet.warnings.filter { isAsked($0.key) }, fileDiagnostics: fleet.fileDiagnostics)
    }

    /// Whether `path` belongs to the image in `folder` and not to one that is nested deeper.
    private func isInside(_ path: RepositoryPath, of folder: RepositoryPath, _ fleet: Fleet) -> Bool {
        let all = fleet.images.map(\.folder) + fleet.invalid.map(\.folder)
        return !all.contains { $0 != folder && folder.contains($0) && $0.contains(path) }
    }

    /// How deep folders can lie.
    static let depthLimit = 64
    /// How many folders one walk can meet; a few small trees that name each other make any number of them.
    private static let folderLimit = 100_000
    /// How many characters of folders' names can be compared with parts of `definitions`.
    private static let stepLimit = 20_000_000
    /// How many bytes the path of an image's folder can have; a longer one would not fit a record.
    private static let pathLimit = 1_024

    /// Walks the tree without recursion; folders that are refused for their place or name go to `refused`.
    ///
    /// Gives the patterns that fit no folder, by index.
    private func collect(
        _ root: RepositoryPath, below patterns: [InputPattern]?, into folders: inout [ImageFolder],
        refused: inout [InvalidDefinition]
    ) throws -> Set<Int> {
        var open = [(path: root, id: try tree.entry(at: root)?.id, isInside: patterns == nil)]
        var unmatched = Set((patterns ?? []).indices)
        var met = 0
        var steps = Self.stepLimit
        while let (path, id, isInside) = open.popLast() {
            let entries = try tree.entries(in: path)
            for entry in entries where entry.kind == .folder {
                // A name that Git would not let stand in a tree is passed over.
                guard let child = try? path.appending(entry.name) else { continue }
                met += 1
                // To stop here and give the rest would look as if the other images had been removed.
                guard met <= Self.folderLimit else {
                    throw SourceError.unreadable(
                        path: root.description, reason: "the commit has more than \(Self.folderLimit) folders")
                }
                var matches: [Int] = []
                for (index, pattern) in (patterns ?? []).enumerated()
                where pattern.matches(child.components, steps: &steps) { matches.append(index) }
                guard steps >= 0 else {
                    throw SourceError.unreadable(
                        path: FleetKeys.fileName, reason: "'definitions' has too many patterns for the folders")
                }
                unmatched.subtract(matches)
                let isChildInside = isInside || !matches.isEmpty
                if child.components.count > Self.depthLimit {
                    guard isChildInside else { continue }
                    refused.append(
                        Self.refusal(
                            .folder, child, entry.id, file: child,
                            "the folder lies more than \(Self.depthLimit) folders deep, and is not searched"))
                } else {
                    open.append((child, entry.id, isChildInside))
                }
            }
            guard let id, isInside else { continue }
            if entries.contains(where: { $0.name == DefinitionNames.image }) {
                if path.description.utf8.count > Self.pathLimit {
                    refused.append(
                        Self.refusal(
                            .folder, path, id, file: path,
                            "the path of the image's folder has more than \(Self.pathLimit) bytes"))
                } else {
                    folders.append(ImageFolder(path: path, tree: id, entries: entries))
                }
            } else if let file = entries.first(where: { Self.isMisnamed($0) }) {
                refused.append(
                    Self.refusal(
                        .fileName, path, id, file: try path.appending(file.name),
                        "the name '\(singleLine(file.name))' is not read; expected 'image.yaml'",
                        hint: "rename it to 'image.yaml'"))
            }
        }
        return unmatched
    }

    private static func refusal(
        _ code: DiagnosticCode, _ folder: RepositoryPath, _ tree: ObjectID, file: RepositoryPath, _ message: String,
        hint: String? = nil
    ) -> InvalidDefinition {
        let diagnostic = Diagnostic(code: code.rawValue, file: file, message: message, hint: hint)
        return InvalidDefinition(name: folder.name, folder: folder, tree: tree, diagnostics: [diagnostic])
    }

    /// Whether a name is `image.yml`, or `image.yaml` in other letters.
    private static func isMisnamed(_ entry: SourceEntry) -> Bool {
        guard entry.kind != .folder, entry.name.utf8.count <= 10 else { return false }
        let lowered = entry.name.lowercased()
        return lowered == "image.yml" || lowered == DefinitionNames.image
    }
}
