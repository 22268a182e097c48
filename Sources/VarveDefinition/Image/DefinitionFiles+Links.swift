// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension DefinitionFiles {
    /// What a path leads to once the symbolic links on its way are followed.
    struct Destination {
        /// The path without a link in it.
        var path: RepositoryPath
        /// What is there; nil where nothing is.
        var entry: SourceEntry?
        /// Whether a link was followed.
        var isLinked = false
    }

    /// Why a path leads nowhere that a definition may read.
    struct BrokenLink: Error {
        /// Whether it leads out of the repository.
        var isOutside: Bool
        /// The link and its target, as a message names them.
        var message: String
    }

    /// How many links one path can pass through.
    private static let hopLimit = 8
    /// How many links the files of one definition can pass through in all.
    private static let linkLimit = 10_000
    /// How long the target of a link can be.
    private static let targetLimit = 4_096

    /// Follows the links of a path inside the repository's tree, component by component, as a file system would.
    ///
    /// The tree alone is asked, so that no link can lead out of it. The paths of links and of what they lead to are added
    /// to `linked`.
    func follow(
        _ text: String, from folder: RepositoryPath, followsLast: Bool = true
    ) throws -> Result<Destination, BrokenLink> {
        var current = folder
        var rest = Self.components(text)
        var last: (link: RepositoryPath, target: String)?
        var hops = 0
        // How many of the components that are left stand in the text itself and not in a link.
        var own = rest.count
        while let name = rest.popLast() {
            let isOwn = rest.count < own
            own = min(own, rest.count)
            if name == ".." {
                guard let parent = current.parent else { return .failure(Self.broken(last, isOutside: true)) }
                current = parent
                continue
            }
            guard let path = try? current.appending(name) else {
                return .failure(Self.broken(last, "where nothing can be"))
            }
            guard let entry = try tree.entry(at: path) else {
                if isOwn {
                    let missing = rest.reversed().reduce(path) { (try? $0.appending($1)) ?? $0 }
                    return .success(Destination(path: missing, entry: nil, isLinked: last != nil))
                }
                return .failure(Self.broken(last, "where nothing is"))
            }
            guard entry.kind == .symlink, followsLast || !rest.isEmpty else {
                current = path
                continue
            }
            linked.insert(path)
            hops += 1
            let target = try target(of: entry)
            last = (path, target ?? "")
            guard let target, !target.isEmpty else { return .failure(Self.broken(last, "which is no path")) }
            followed += 1
            guard hops <= Self.hopLimit, followed <= Self.linkLimit else {
                return .failure(Self.broken(last, "in a circle or through too many"))
            }
            guard !target.hasPrefix("/") else { return .failure(Self.broken(last, isOutside: true)) }
            rest += Self.components(target)
        }
        if last != nil { linked.insert(current) }
        return .success(Destination(path: current, entry: try tree.entry(at: current), isLinked: last != nil))
    }

    /// `binder/` and `.binder/` among the entries of a folder, and where each lies once links are followed.
    ///
    /// A link that leads nowhere is reported.
    func definitionFolders(
        in folder: RepositoryPath, _ entries: [SourceEntry], findings: Findings
    ) throws -> [(name: String, path: RepositoryPath)] {
        var result: [(name: String, path: RepositoryPath)] = []
        for entry in entries where DefinitionNames.subfolders.contains(entry.name) {
            let path = try folder.appending(entry.name)
            guard entry.kind == .symlink else {
                if entry.kind == .folder { result.append((entry.name, path)) }
                continue
            }
            switch try follow(path.description, from: .root) {
            case .success(let destination):
                if destination.entry?.kind == .folder { result.append((entry.name, destination.path)) }
            case .failure(let broken):
                findings.report(
                    broken.isOutside ? .outsideRepository : .notAFile, at: Place(file: path), broken.message)
            }
        }
        return result
    }

    /// The components of a path, the first one last.
    private static func components(_ text: String) -> [String] {
        // By bytes: as characters, a '/' and a combining mark after it are one.
        text.utf8.split(separator: 0x2F).map { String(Substring($0)) }.filter { $0 != "." }.reversed()
    }

    /// The text of a link; nil where it is none.
    private func target(of link: SourceEntry) throws -> String? {
        do {
            let bytes = try tree.read(link.id, limit: Self.targetLimit)
            return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
        } catch SourceError.tooLarge {
            return nil
        }
    }

    private static func broken(
        _ last: (link: RepositoryPath, target: String)?, _ reason: String = "outside the repository",
        isOutside: Bool = false
    ) -> BrokenLink {
        let start = last.map { "the symbolic link \(quoted($0.link.description)) leads to \(quoted($0.target))" }
        return BrokenLink(isOutside: isOutside, message: (start ?? "the path leads") + ", " + reason)
    }
}
