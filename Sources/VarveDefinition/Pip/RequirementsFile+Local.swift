// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Requirements that lie in the repository.
extension RequirementsFile {
    /// Reads a path: a folder with a Python project, or a wheel.
    mutating func addLocal(_ text: String, extras: String, isEditable: Bool, at place: Place) throws {
        var cursor = ByteCursor(extras)
        guard let extras = try? PythonRequirement.extras(&cursor), cursor.isAtEnd else {
            findings.report(.requirement, at: place, "expected extras in brackets after \(quoted(text))")
            return
        }
        guard
            let path = try files.resolve(text, in: workingFolder, followsLast: true, findings: findings, at: place)
        else { return }
        if text.hasSuffix(".whl"), !isEditable {
            guard let wheel = try wheel(at: path, place) else { return }
            return insert(
                LocalSource(name: path.name, path: path, tree: wheel, isEditable: false, extras: extras), text, place)
        }
        guard let tree = try files.folder(at: path) else {
            findings.report(
                .localPath, at: place, "there is no folder \(quoted(path.description)) in the repository",
                hint: isEditable ? nil : "a package of the index is written without './'"
            )
            return
        }
        let names = try files.names(in: path)
        guard names.contains("pyproject.toml") || names.contains("setup.py") else {
            findings.report(
                .localPath, at: place,
                "the folder \(quoted(path.description)) is no Python project; expected pyproject.toml or setup.py in it"
            )
            return
        }
        insert(LocalSource(name: "", path: path, tree: tree, isEditable: isEditable, extras: extras), text, place)
    }

    private mutating func insert(_ source: LocalSource, _ text: String, _ place: Place) {
        touched.insert(source.path)
        hashes.requirements.append(HashCheck.Requirement(place: place, text: text, kind: .unhashable))
        localSources.insert(source)
    }

    /// The blob of a wheel; nil where there is none, or another one of its name, which is reported.
    private func wheel(at path: RepositoryPath, _ place: Place) throws -> ObjectID? {
        guard let entry = try files.tree.entry(at: path), entry.kind == .file || entry.kind == .executable else {
            findings.report(
                .localArchive, at: place, "there is no wheel \(quoted(path.description)) in the repository",
                hint: try files.nearestFile(to: path).map { "did you mean '\(singleLine($0, limit: 80))'?" })
            return nil
        }
        // pip reads from the name what the wheel holds.
        let parts = path.name.dropLast(".whl".count).split(separator: "-", omittingEmptySubsequences: false)
        let isPlain = path.name.utf8.allSatisfy { isAlphanumeric($0) || "._-+!".utf8.contains($0) }
        guard path.name.hasSuffix(".whl"), (5...6).contains(parts.count), isPlain, path.name.utf8.count <= 200 else {
            findings.report(
                .localArchive, at: place, "\(quoted(path.name)) is not the name of a wheel",
                hint: "expected NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
            return nil
        }
        if let other = localSources.first(where: { $0.name == path.name && $0.path != path }) {
            findings.report(
                .localArchive, at: place, "the wheel \(quoted(other.path.description)) has this name too",
                hint: "keep one of them")
            return nil
        }
        return entry.id
    }

    /// The local sources, each path with a name of its own that does not depend on the order of the lines.
    ///
    /// The name is that of the folder; where an earlier path or a wheel has it, a number follows. A wheel keeps its own.
    var namedSources: [LocalSource] {
        var names: [RepositoryPath: String] = [:]
        var taken = Set(localSources.map(\.name))
        var next: [String: Int] = [:]
        for path in Set(localSources.filter(\.name.isEmpty).map(\.path)).sorted() {
            // A name that no file system takes is cut.
            let word = path.name.utf8.prefix(200).map {
                isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D ? $0 : 0x5F
            }
            let base = word.isEmpty ? "repository" : String(decoding: word, as: UTF8.self)
            var name = base
            while !taken.insert(name).inserted {
                let number = next[base, default: 2]
                next[base] = number + 1
                name = "\(base)-\(number)"
            }
            names[path] = name
        }
        return localSources.map { source in
            var named = source
            named.name = names[source.path] ?? source.name
            return named
        }
    }
}
