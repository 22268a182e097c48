// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Folders of repo2docker files that have no `image.yaml` yet, and what each of them would need.
public struct FolderImport: Sendable {
    /// A folder that can become an image.
    public struct Folder: Sendable {
        /// The folder that gets `image.yaml`.
        public var path: RepositoryPath
        /// The image's name, unique among the folders.
        public var name: String
        /// The `inputs` of its postBuild, which in repo2docker sees the whole folder; empty where there is none.
        public var inputs: [String]
        /// Whether repo2docker does not read its `requirements.txt`, because it has a conda environment.
        public var leavesOutRequirements: Bool
        /// What varve reads otherwise than repo2docker, a line each.
        public var notes: [String]
    }

    /// The folders, by path.
    public private(set) var folders: [Folder] = []
    /// The folders that are images already.
    public private(set) var adopted: [RepositoryPath] = []

    /// What repo2docker reads and varve does not.
    private static let unread = [
        "Dockerfile", "Project.toml", "Manifest.toml", "JuliaProject.toml", "default.nix", "REQUIRE", "DESCRIPTION",
        "Pipfile", "Pipfile.lock", "setup.py", "pyproject.toml",
    ]

    /// Looks for folders below a path; one with an image.yaml, and what lies in its `binder/`, is passed over.
    ///
    /// - Parameter taken: the names of the images that are there, which no folder is given.
    /// - Throws: when the tree cannot be read, or has more than 100,000 folders.
    public init(tree: any SourceTree, below root: RepositoryPath, taken: Set<String> = []) throws {
        var open = [root]
        var met = 0
        var taken = taken
        while let path = open.popLast() {
            met += 1
            guard met <= 100_000 else {
                throw SourceError.unreadable(path: root.description, reason: "more than 100000 folders lie below it")
            }
            let entries = try tree.entries(in: path)
            for entry in entries.reversed() where entry.kind == .folder {
                guard entry.name != ".git", !DefinitionNames.subfolders.contains(entry.name),
                    let child = try? path.appending(entry.name), child.components.count <= DefinitionReader.depthLimit
                else { continue }
                open.append(child)
            }
            if entries.contains(where: { $0.name == DefinitionNames.image }) {
                adopted.append(path)
                continue
            }
            // A link that leads nowhere is for the reader to report.
            let reader = DefinitionFiles(tree: tree)
            let subfolder = try reader.definitionFolders(in: path, entries, findings: Findings()).first
            let isLinked = reader.followed > 0
            let files = try subfolder.map { try tree.entries(in: $0.path) } ?? entries
            let names = Set(files.filter { $0.kind != .folder && $0.kind != .submodule }.map(\.name))
            guard !names.isDisjoint(with: DefinitionNames.build.filter { $0 != DefinitionNames.verify } + Self.unread)
            else { continue }
            let script = try files.first { $0.name == DefinitionNames.postBuild }.flatMap { script in
                try reader.bytes(
                    of: script, at: (subfolder?.path ?? path).appending(script.name), findings: Findings())
            }
            let reading = Reading(
                entries: entries, subfolder: subfolder?.name, isLinked: isLinked,
                files: files, names: names, script: script.map { String(decoding: $0, as: UTF8.self) })
            folders.append(
                Folder(
                    path: path, name: Self.name(path.name, among: &taken), inputs: reading.inputs,
                    leavesOutRequirements: reading.leavesOutRequirements, notes: reading.notes))
        }
    }

    /// How repo2docker would read a folder.
    private struct Reading {
        /// What stands in the image's folder.
        let entries: [SourceEntry]
        /// `binder` or `.binder`, where it has one, and whether that is a link.
        let subfolder: String?
        let isLinked: Bool
        /// What stands in the folder that the definition is read from, and the names of its files.
        let files: [SourceEntry]
        let names: Set<String>
        /// The text of postBuild, where there is one.
        let script: String?

        /// `**`, and what it passes over where postBuild names it.
        var inputs: [String] {
            guard let script else { return [] }
            let named = DefinitionNames.build.filter { name in
                !isLinked && name.contains(".") && names.contains(name) && script.contains(name)
            }
            let others = entries.contains { entry in
                !DefinitionNames.build.contains(entry.name) && entry.name != subfolder && entry.name != ".git"
            }
            let below = files.contains { subfolder != nil && !isLinked && !DefinitionNames.build.contains($0.name) }
            return (others || below ? ["**"] : []) + named.map { (subfolder.map { $0 + "/" } ?? "") + $0 }
        }

        var leavesOutRequirements: Bool {
            names.contains(DefinitionNames.requirements) && !names.isDisjoint(with: DefinitionNames.environments)
        }

        /// What varve reads otherwise.
        var notes: [String] {
            var notes: [String] = []
            if leavesOutRequirements {
                notes.append(
                    "repo2docker ignores requirements.txt beside an environment.yml, so it is left out ('pip: []' in "
                        + "image.yaml); remove that line to install it too")
            }
            if isLinked, let subfolder, script != nil {
                notes.append("\(subfolder) is a symbolic link, and postBuild does not see what it leads to")
            }
            for name in unread where names.contains(name) {
                notes.append("\(name) is read by repo2docker and may not be by this version of varve")
            }
            return notes
        }
    }

    /// A text as an image's name that no other has.
    static func name(_ text: String, among taken: inout Set<String>) -> String {
        let result = validName(text)
        var unique = result
        var number = 2
        while !taken.insert(unique).inserted {
            unique = "\(result)-\(number)"
            number += 1
        }
        return unique
    }

    /// A text as an image's name: lower case, with `-` for what a name cannot hold.
    static func validName(_ text: String) -> String {
        var result = ""
        for byte in text.lowercased().utf8 {
            if isAlphanumeric(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !result.isEmpty, result.last != "-", result.last != ".", result.last != "_" {
                result.unicodeScalars.append(byte == 0x2E || byte == 0x5F ? Unicode.Scalar(byte) : "-")
            }
        }
        result = String(result.prefix(100))
        while let last = result.last, "-._".contains(last) { result.removeLast() }
        return result.isEmpty ? "image" : result
    }
}
