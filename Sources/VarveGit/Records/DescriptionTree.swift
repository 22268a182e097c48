// SPDX-License-Identifier: Apache-2.0

import CGit2
import VarveModel

/// The tree of `refs/varve/packages`: one blob a layer key, at `ab/cdef…`, whose first line is `recipe N`.
extension RepositoryHandle {
    /// Adds the descriptions that are not there yet; an existing one is never replaced, since its key fixes it.
    func addDescriptions(
        _ descriptions: [LayerDescription], to tree: RawID?, into batch: inout ObjectBatch
    ) throws(GitError) -> RawID? {
        var root: [[UInt8]: TreeEntry] = [:]
        for entry in try entries(ofTree: tree) { root[entry.name] = entry }
        var isChanged = false
        for (folder, group) in Dictionary(grouping: descriptions, by: { Array($0.key.hex.utf8.prefix(2)) }) {
            var files: [[UInt8]: TreeEntry] = [:]
            let old = root[folder].flatMap { $0.isFolder ? $0.id : nil }
            for entry in try entries(ofTree: old) { files[entry.name] = entry }
            let known = files.count
            for description in group {
                let name = Array(description.key.hex.utf8.dropFirst(2))
                if files[name] != nil { continue }
                let id = try batch.add(description.blob, GIT_OBJECT_BLOB)
                files[name] = TreeEntry(mode: TreeEntry.fileMode, name: name, id: id)
            }
            if files.count == known { continue }
            guard let id = try batch.addTree(Array(files.values)) else { continue }
            root[folder] = TreeEntry(mode: TreeEntry.folderMode, name: folder, id: id)
            isChanged = true
        }
        return isChanged ? try batch.addTree(Array(root.values)) : tree
    }

    /// The descriptions of some keys; a key without a readable one is absent.
    func descriptions(of keys: [LayerKey], in tree: RawID?) throws(GitError) -> [LayerKey: LayerDescription] {
        var found: [LayerKey: LayerDescription] = [:]
        let groups = Dictionary(grouping: keys) { Array($0.hex.utf8.prefix(2)) }
        for entry in try entries(ofTree: tree) where entry.isFolder {
            guard let group = groups[entry.name] else { continue }
            var files: [[UInt8]: RawID] = [:]
            for file in try entries(ofTree: entry.id) where file.isFile { files[file.name] = file.id }
            for key in group {
                guard let id = files[Array(key.hex.utf8.dropFirst(2))], let bytes = try blob(id) else { continue }
                found[key] = LayerDescription(key: key, blob: bytes)
            }
        }
        return found
    }
}

extension LayerDescription {
    /// `recipe N`, then the lines; a line break inside a line, which the type forbids, is made visible.
    var blob: [UInt8] {
        Array(
            (["recipe \(recipe)"] + lines.map { singleLine(redacted($0)) }).map { $0 + "\n" }.joined()
                .utf8)
    }

    init?(key: LayerKey, blob: [UInt8]) {
        var lines = String(decoding: blob, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix("recipe "), let recipe = Int(first.dropFirst(7)) else {
            return nil
        }
        if lines.last == "" { lines.removeLast() }
        self.init(key: key, recipe: recipe, lines: lines.dropFirst().map(String.init))
    }
}
