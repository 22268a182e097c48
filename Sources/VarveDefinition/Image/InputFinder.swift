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

    private struct Candidate {
        var components: [String]
        var entry: SourceEntry
        var isDefinition: Bool
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
        var candidates: [Candidate] = []
        try collect(image.folder.path, [], image.folder.entries, into: &candidates)
        var result: [RepositoryPath: InputFile] = [:]
        for (pattern, value, text) in patterns {
            var count = 0
            for candidate in candidates where pattern.isLiteral || !candidate.isDefinition {
                guard pattern.matches(candidate.components) else { continue }
                count += 1
                try add(candidate, at: value.place, to: &result)
            }
            guard count == 0 else { continue }
            let names = candidates.map { $0.components.joined(separator: "/") }
            image.findings.report(
                .inputWithoutMatch, at: value.place, "the pattern \(quoted(text)) matches no file of this folder",
                hint: pattern.isLiteral ? suggestion(for: text, among: names) : nil
            )
        }
        return Array(result.values)
    }

    private func add(_ candidate: Candidate, at place: Place, to result: inout [RepositoryPath: InputFile]) throws {
        let path = try RepositoryPath(candidate.components.joined(separator: "/"))
        let entry = candidate.entry
        switch entry.kind {
        case .file, .executable:
            result[path] = InputFile(path: path, id: entry.id, isExecutable: entry.kind == .executable)
        case .symlink, .submodule:
            let kind = entry.kind == .symlink ? "symbolic link" : "submodule"
            image.findings.report(
                .inputNotAFile, at: place, "the input \(quoted(path.description)) is a \(kind); expected a file",
                hint: "name the files themselves"
            )
        case .folder: break
        }
    }

    /// All files below the image's folder, links and submodules included.
    private func collect(
        _ folder: RepositoryPath, _ prefix: [String], _ entries: [SourceEntry], into result: inout [Candidate]
    ) throws {
        for entry in entries {
            let components = prefix + [entry.name]
            if entry.kind == .folder {
                let path = try folder.appending(entry.name)
                try collect(path, components, try image.files.entries(in: path), into: &result)
            } else if components != [DefinitionNames.image] {
                let isDefinition = folder == definitionFolder && DefinitionNames.build.contains(entry.name)
                result.append(Candidate(components: components, entry: entry, isDefinition: isDefinition))
            }
        }
    }
}
