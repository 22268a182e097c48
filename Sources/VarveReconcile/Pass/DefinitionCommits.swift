// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The commits that an image's definition comes from.
struct DefinitionCommits: Sendable {
    /// The last commit that changed the folder or an input outside it.
    var newest: ObjectID
    /// The commits that get the line: the last one that changed the folder and, where an input outside changed later, that
    /// one too.
    var noted: [ObjectID]
    /// Whether nothing but shared inputs changed since the commit that the last record names; what they mean to the image,
    /// its keys tell.
    var isUnmoved = false

    /// Finds the commits of many definitions in one walk.
    ///
    /// - Parameter recorded: the commits that the images' last good records name.
    static func find(
        for images: [ImageDefinition], in commit: ObjectID, recorded: [ImageName: ObjectID],
        source: any DefinitionSource
    ) async throws -> [ImageName: DefinitionCommits] {
        let folders = try await source.lastCommits(touching: images.map { [$0.folder] }, from: commit)
        let withOutside = images.filter { !$0.outsideInputs.isEmpty || !$0.sharedInputs.isEmpty }
        let others = try await source.lastCommits(
            touching: withOutside.map { $0.ownPaths + $0.sharedInputs }, from: commit)
        var newest: [ImageName: ObjectID] = [:]
        for (image, found) in zip(withOutside, others) { newest[image.name] = found }
        var result: [ImageName: DefinitionCommits] = [:]
        for (image, found) in zip(images, folders) {
            let folder = found ?? commit
            let last = newest[image.name] ?? folder
            result[image.name] = DefinitionCommits(newest: last, noted: last == folder ? [folder] : [folder, last])
        }
        let moved = images.filter { image in
            guard let last = recorded[image.name] else { return false }
            return !image.sharedInputs.isEmpty && result[image.name]?.newest != last
        }
        for image in try await unmoved(moved, in: commit, recorded: recorded, source: source) {
            result[image]?.isUnmoved = true
        }
        return result
    }

    /// The images whose own paths are, as of the recorded commit, those of today.
    private static func unmoved(
        _ images: [ImageDefinition], in commit: ObjectID, recorded: [ImageName: ObjectID],
        source: any DefinitionSource
    ) async throws -> [ImageName] {
        guard !images.isEmpty else { return [] }
        let today = try await source.lastCommits(touching: images.map(\.ownPaths), from: commit)
        var result: [ImageName] = []
        // One walk for all images that were built from one edit of a shared input.
        for (last, group) in Dictionary(grouping: zip(images, today), by: { recorded[$0.0.name] }) {
            guard let last, try await source.contains(last, in: commit) else { continue }
            let then = try await source.lastCommits(touching: group.map(\.0.ownPaths), from: last)
            result += zip(group, then).filter { $0.1 == $1 }.map(\.0.0.name)
        }
        return result
    }
}

extension ImageDefinition {
    /// The image's folder, and what its own files name outside of it.
    fileprivate var ownPaths: [RepositoryPath] { [folder] + outsideInputs }
}
