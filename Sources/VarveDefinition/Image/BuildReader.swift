// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What the layers of one image consist of.
struct ReadBuild {
    var data = BuildData()
    var start: Script?
    var verify: Script?
    /// Files and folders that count, wherever they stand.
    var touched: Set<RepositoryPath> = []
    /// What the image gives itself.
    var given = GivenFields()
    /// The folder that the definition's files are read from.
    var definitionFolder = RepositoryPath.root
}

/// Reads the build data of one image from `image.yaml` and the files beside it.
struct BuildReader {
    let image: ImageReader
    /// The document of `image.yaml`, nil where it cannot be read; the files are then checked all the same.
    let root: YamlValue?
    /// The lines that texts stand in, to find where those of a block begin.
    let sourceLines: SourceLines

    init(image: ImageReader, root: YamlValue?, source: String) {
        self.image = image
        self.root = root
        var texts = [image.file: source]
        if image.fleet.defaults != nil { texts[FleetFile.path] = image.fleet.source }
        sourceLines = SourceLines(texts)
    }

    var findings: Findings { image.findings }
    private var files: DefinitionFiles { image.files }

    /// Reads everything; what is wrong is reported.
    func read() throws -> ReadBuild {
        var result = ReadBuild()
        let (folder, entries) = try definitionFolder(findings: findings)
        result.definitionFolder = folder
        checkNames(entries, in: folder)
        checkFolders(entries, in: folder)
        // Two entries can have equal names as texts (`é` in two forms); none of these is a name that is read.
        let beside = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let build = root?["build"]

        if let lines = try lines(build, "apt", file: DefinitionNames.apt, beside, folder) {
            result.data.apt = AptList(findings: findings).read(lines.lines)
        }
        try readConda(build, beside, folder, into: &result)
        try readCondarc(beside, folder, into: &result)
        let installR = try script(build, "installR", DefinitionNames.installR, beside, folder)
        RLayers(findings: findings, sourceLines: sourceLines)
            .read(build, installR: installR?.script, into: &result.data)
        if build?["registerKernel"]?.text?.lowercased() == "true" { result.data.kernel = KernelContent() }
        if let lines = try lines(build, "pip", file: DefinitionNames.requirements, beside, folder) {
            var reader = RequirementsFile(files: files, findings: findings, workingFolder: image.folder.path)
            try reader.read(lines.lines, in: lines.file)
            result.data.pip = reader.content
            result.touched.formUnion(reader.touched)
        }
        try readRuntime(beside, folder, into: &result)
        let inputs = try InputFinder(image: image, definitionFolder: folder).find(root?["inputs"])
        result.given = GivenFields(root: root, files: beside, inputs: inputs)
        if lockName(beside) != nil { result.given.keys.insert("build.conda") }
        if let script = try script(build, "postBuild", DefinitionNames.postBuild, beside, folder) {
            result.data.postBuild = PostBuildContent(script: script.script, inputs: inputs)
        }
        if let start = try script(root, "start", DefinitionNames.start, beside, folder) {
            ScriptCheck(findings: findings).checkStart(start.script, at: start.place)
            result.start = start.script.runnable
        }
        result.verify = try script(root, "verify", DefinitionNames.verify, beside, folder)?.script
        return result
    }

    /// What the image gives itself, in `image.yaml` or as a file.
    func givenKeys() throws -> Set<String> {
        let (_, entries) = try definitionFolder(findings: Findings())
        let beside = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var keys = GivenFields(root: root, files: beside, inputs: []).keys
        if lockName(beside) != nil { keys.insert("build.conda") }
        return keys
    }

    // MARK: - Files

    /// The folder that the files are read from: the image's own, or its `binder/` or `.binder/`.
    private func definitionFolder(findings: Findings) throws -> (RepositoryPath, [SourceEntry]) {
        let own = image.folder
        let found = try files.definitionFolders(in: own.path, own.entries, findings: findings)
        guard let first = found.first else { return (own.path, own.entries) }
        if found.count > 1 {
            findings.report(
                .severalFolders, at: Place(file: try own.path.appending(first.name)),
                "both 'binder' and '.binder' exist; expected one of them"
            )
        }
        return (first.path, try files.entries(in: first.path))
    }

    /// Reports folders that have the name of a file, which would be passed over.
    private func checkFolders(_ entries: [SourceEntry], in folder: RepositoryPath) {
        for entry in entries where entry.kind == .folder && DefinitionNames.isRead(entry.name) {
            guard let path = try? folder.appending(entry.name) else { continue }
            // People call folders `start` or `verify` and mean no script.
            guard [DefinitionNames.start, DefinitionNames.verify].contains(entry.name) else {
                findings.report(
                    .notAFile, at: Place(file: path), "expected a file at \(quoted(path.description)), found a folder")
                continue
            }
            if root?[entry.name] == nil {
                findings.warn(
                    .notAFile, at: Place(file: path),
                    "the folder \(quoted(path.description)) has no effect; '\(entry.name)' is a script")
            }
        }
    }

    /// Reports names that differ from one that is read only in upper and lower case.
    private func checkNames(_ entries: [SourceEntry], in folder: RepositoryPath) {
        for entry in entries where !DefinitionNames.build.contains(entry.name) && entry.kind != .folder {
            let lowered = entry.name.lowercased()
            guard let meant = DefinitionNames.build.first(where: { $0.lowercased() == lowered }),
                let path = try? folder.appending(entry.name)
            else { continue }
            findings.report(
                .fileName, at: Place(file: path),
                "the name '\(singleLine(entry.name))' is not read; upper and lower case count",
                hint: "rename it to '\(meant)'"
            )
        }
    }

    /// The bytes of a file of the definition, nil where it does not exist or cannot be read (which is reported).
    func bytes(
        _ name: String, _ beside: [String: SourceEntry], _ folder: RepositoryPath
    ) throws -> (bytes: [UInt8], file: RepositoryPath)? {
        guard let entry = beside[name] else { return nil }
        let path = try folder.appending(name)
        // Said of all folders at once.
        if entry.kind == .folder { return nil }
        return try files.bytes(of: entry, at: path, findings: findings).map { ($0, path) }
    }

    func reportTwice(_ key: YamlValue?, _ name: String, _ file: RepositoryPath) {
        guard let key else { return }
        findings.report(
            .layerTwice, at: key.place, "'\(name)' is given here and in the file \(quoted(file.description))",
            hint: "keep one of them"
        )
    }

    private struct Lines {
        var lines: [SourceLine]
        var file: RepositoryPath
    }

    /// The lines of a layer, from the file or from `build`; nil where neither is given.
    private func lines(
        _ build: YamlValue?, _ key: String, file name: String, _ beside: [String: SourceEntry], _ folder: RepositoryPath
    ) throws -> Lines? {
        let inline = build?[key]
        // An empty list asks for no layer, whatever the file says.
        if inline?.items?.isEmpty == true { return nil }
        if let (bytes, path) = try bytes(name, beside, folder) {
            reportTwice(inline, "build." + key, path)
            guard let text = DefinitionFiles.decode(bytes, file: path, findings: findings) else { return nil }
            return Lines(lines: SourceLine.lines(of: text, from: Place(file: path, line: 1, column: 1)), file: path)
        }
        guard let inline else { return nil }
        let texts = inline.items ?? [inline]
        return Lines(lines: texts.flatMap { InlineText(value: $0, sourceLines: sourceLines).lines }, file: image.file)
    }

    private func script(
        _ parent: YamlValue?, _ key: String, _ name: String, _ beside: [String: SourceEntry], _ folder: RepositoryPath
    ) throws -> (script: Script, place: Place)? {
        let inline = parent?[key]
        let check = ScriptCheck(findings: findings)
        if let (bytes, path) = try bytes(name, beside, folder) {
            reportTwice(inline, key, path)
            let place = Place(file: path, line: 1, column: 1)
            return check.script(bytes, named: name, at: place).map { ($0, place) }
        }
        guard let inline, let text = inline.text else { return nil }
        let place = InlineText(value: inline, sourceLines: sourceLines).start
        return check.script(Array(text.utf8), named: name, at: place).map { ($0, place) }
    }

    // MARK: - conda

    private func readConda(
        _ build: YamlValue?, _ beside: [String: SourceEntry], _ folder: RepositoryPath, into result: inout ReadBuild
    ) throws {
        let inline = build?["conda"]
        if let lock = lockName(beside) {
            reportTwice(inline, "build.conda", try folder.appending(lock))
            result.data.conda = try readLock(beside, folder)
            return
        }
        let names = DefinitionNames.environments.filter { beside[$0] != nil && beside[$0]?.kind != .folder }
        try reportOtherLocks(beside, folder, hasEnvironment: inline?.isNull == false || !names.isEmpty)
        let reader = EnvironmentFile(findings: findings)
        var environment = inline
        var file = image.file
        if names.count > 1 {
            findings.report(
                .severalEnvironments, at: Place(file: try folder.appending(names[1])),
                "both 'environment.yml' and 'environment.yaml' exist; expected one of them"
            )
        }
        if let name = names.first, let (bytes, path) = try bytes(name, beside, folder) {
            reportTwice(inline, "build.conda", path)
            guard let text = DefinitionFiles.decode(bytes, file: path, findings: findings) else { return }
            if ExplicitList.isExplicit(text) {
                result.data.conda = explicitContent(text, from: Place(file: path, line: 1, column: 1))
                return
            }
            guard let root = YamlReader(file: path, findings: findings).read(text) else { return }
            reader.checkKeys(root)
            environment = root
            file = path
        }
        guard let environment else { return }
        let workingFolder = file == image.file ? image.folder.path : folder
        var pip = RequirementsFile(files: files, findings: findings, workingFolder: workingFolder)
        result.data.conda = try reader.read(environment) { lines in
            try pip.read(lines, in: file)
            return pip.content
        }
        result.touched.formUnion(pip.touched)
    }
}

/// A text inside of `image.yaml`, with the places of its lines.
struct InlineText {
    let value: YamlValue
    /// The lines of the files that texts stand in.
    let sourceLines: SourceLines

    /// Where the text itself begins.
    var start: Place {
        guard case .scalar(_, let style) = value.content else { return value.place }
        switch style {
        case .plain: return value.place
        case .quoted: return value.place.advanced(by: 1)
        case .block:
            // The text begins in the line after `|`; its first line that is not blank shows the indentation.
            for line in sourceLines[value.place.file].dropFirst(value.place.line) {
                let spaces = line.prefix { $0 == 0x20 }.count
                if spaces < line.count, line.dropFirst(spaces).first != 0x0D {
                    return Place(file: value.place.file, line: value.place.line + 1, column: spaces + 1)
                }
            }
            return Place(file: value.place.file, line: value.place.line + 1, column: 1)
        }
    }

    /// The lines of the text.
    var lines: [SourceLine] { SourceLine.lines(of: value.text ?? "", from: start) }
}
