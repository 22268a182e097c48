// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Finds the files that the patterns of `inputs` match.
///
/// `image.yaml` never matches, and a pattern with wildcards passes over the other files of the definition: an edit of the
/// description or of `verify` would otherwise rebuild postBuild. A file named without wildcards is always taken.
struct InputFinder {
    let image: ImageReader
    /// The folder that the definition's files are read from.
    let definitionFolder: RepositoryPath

    /// How many entries the folder can have below it, counted as often as they are met.
    private static let entryLimit = 100_000

    /// How many characters of names can be compared with parts of patterns.
    private static let stepLimit = 10_000_000

    private struct Candidate {
        /// The path below the image's folder.
        var path: RepositoryPath
        var entry: SourceEntry
        var isDefinition: Bool
    }

    /// An input, and which candidate it is.
    private struct Found {
        var index: Int
        var file: InputFile
    }

    /// The files that match; what is wrong is reported.
    func find(_ value: YamlValue?) throws -> [InputFile] {
        guard let items = value?.items, !items.isEmpty else { return [] }
        var patterns: [(pattern: InputPattern, value: YamlValue, text: String)] = []
        for item in items {
            guard let text = item.text else { continue }
            if let pattern = InputPattern(text), text != DefinitionNames.image, text != "./" + DefinitionNames.image {
                patterns.append((pattern, item, text))
            } else {
                let isImage = text.hasSuffix(DefinitionNames.image)
                image.findings.report(
                    .inputPattern, at: item.place,
                    isImage
                        ? "image.yaml cannot be an input, because its description and owner are part of no key"
                        : "\(quoted(text)) is not a pattern of files in this folder",
                    hint: text.hasSuffix("/") ? "write '\(singleLine(text, limit: 80))**' for all files below" : nil
                )
            }
        }
        guard !patterns.isEmpty else { return [] }
        guard let candidates = try collect(at: value?.place ?? Place(file: image.file)) else { return [] }
        var result: [RepositoryPath: Found] = [:]
        var unmatched: [(pattern: InputPattern, value: YamlValue, text: String)] = []
        // A comparison takes at least two steps.
        var steps = patterns.count * candidates.count > Self.stepLimit / 2 ? -1 : Self.stepLimit
        for given in patterns where steps >= 0 {
            var count = 0
            for (index, candidate) in candidates.enumerated()
            where given.pattern.isLiteral || !candidate.isDefinition {
                guard given.pattern.matches(candidate.path.components, steps: &steps) else { continue }
                count += 1
                try add(candidate, index, at: given.value.place, to: &result)
            }
            if count == 0 { unmatched.append(given) }
        }
        guard steps >= 0 else {
            image.findings.report(
                .inputTree, at: value?.place ?? Place(file: image.file),
                "\(patterns.count) patterns are too many for \(candidates.count) files",
                hint: "write fewer or simpler ones")
            return []
        }
        let names = unmatched.contains(where: \.pattern.isLiteral) ? candidates.map(\.path.description) : []
        for (pattern, value, text) in unmatched where !image.findings.isFull {
            image.findings.report(
                .inputWithoutMatch, at: value.place, "the pattern \(quoted(text)) matches no file of this folder",
                hint: pattern.isLiteral ? suggestion(for: text, among: names) : nil
            )
        }
        return result.values.map(\.file)
    }

    /// The files of a Containerfile's context: what `**` matches, and the Containerfile.
    func context(with containerfile: RepositoryPath, at place: Place) throws -> [InputFile] {
        var result: [RepositoryPath: InputFile] = [:]
        for candidate in try collect(at: place) ?? [] where !image.findings.isFull {
            let path = candidate.path
            guard !candidate.isDefinition || path == containerfile else { continue }
            let isExecutable = candidate.entry.kind == .executable
            guard isExecutable || candidate.entry.kind == .file else {
                let kind = candidate.entry.kind == .symlink ? "symbolic link" : "submodule"
                image.findings.report(
                    .containerfileContext, at: place,
                    "the context holds the \(kind) \(quoted(path.description)); expected files alone")
                continue
            }
            guard result[path] == nil else {
                image.findings.report(.inputTree, at: place, "two files have the name \(quoted(path.description))")
                continue
            }
            result[path] = InputFile(path: path, id: candidate.entry.id, isExecutable: isExecutable)
        }
        return Array(result.values)
    }

    private func add(
        _ candidate: Candidate, _ index: Int, at place: Place, to result: inout [RepositoryPath: Found]
    ) throws {
        let path = candidate.path
        guard let entry = try target(of: candidate, at: place) else { return }
        switch entry.kind {
        case .file, .executable:
            guard result[path].map({ $0.index == index }) ?? true else {
                image.findings.report(
                    .inputTree, at: place, "two files have the name \(quoted(path.description))",
                    hint: "give them names of UTF-8 that differ"
                )
                return
            }
            let file = InputFile(path: path, id: entry.id, isExecutable: entry.kind == .executable)
            result[path] = Found(index: index, file: file)
        case .symlink, .submodule, .folder:
            let kind = candidate.entry.kind == .symlink ? "symbolic link to no file" : "submodule"
            image.findings.report(
                .inputNotAFile, at: place, "the input \(quoted(path.description)) is a \(kind); expected a file",
                hint: "name the files themselves"
            )
        }
    }

    /// What a candidate is or, where it is a link, leads to; nil where that is nothing, which is reported.
    private func target(of candidate: Candidate, at place: Place) throws -> SourceEntry? {
        guard candidate.entry.kind == .symlink else { return candidate.entry }
        switch try image.files.follow(candidate.path.description, from: image.folder.path) {
        case .success(let destination): return destination.entry ?? candidate.entry
        case .failure(let broken):
            image.findings.report(.inputNotAFile, at: place, broken.message, hint: "name the files themselves")
            return nil
        }
    }

    /// Whether an entry is the link `binder` that the definition's files are read through.
    private func isDefinitionFolder(_ entry: SourceEntry, below: RepositoryPath) -> Bool {
        entry.kind == .symlink && below == .root && DefinitionNames.subfolders.contains(entry.name)
            && definitionFolder != image.folder.path
    }

    /// All files below the image's folder, links and submodules included; nil where there are too many, which is reported.
    private func collect(at place: Place) throws -> [Candidate]? {
        var result: [Candidate] = []
        var open: [(path: RepositoryPath, below: RepositoryPath)] = [(image.folder.path, .root)]
        var met = 0
        while let (folder, below) = open.popLast() {
            let entries = below == .root ? image.folder.entries : try image.files.entries(in: folder)
            met += entries.count
            guard met <= Self.entryLimit else {
                image.findings.report(
                    .inputTree, at: place, "the folder has more than \(Self.entryLimit) files and folders below it")
                return nil
            }
            for entry in entries {
                // A name that Git would not let stand in a tree is passed over.
                guard let path = try? folder.appending(entry.name), let inside = try? below.appending(entry.name) else {
                    continue
                }
                if entry.kind == .folder {
                    guard path.components.count <= DefinitionReader.depthLimit else {
                        image.findings.report(
                            .inputTree, at: place,
                            "a folder below lies more than \(DefinitionReader.depthLimit) folders deep")
                        return nil
                    }
                    open.append((path, inside))
                } else if inside.components != [DefinitionNames.image] {
                    let isDefinition =
                        folder == definitionFolder && DefinitionNames.build.contains(entry.name)
                        || isDefinitionFolder(entry, below: below)
                    result.append(Candidate(path: inside, entry: entry, isDefinition: isDefinition))
                }
            }
        }
        return result
    }
}
