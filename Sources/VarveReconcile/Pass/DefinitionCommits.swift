// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The commits that an image's definition comes from.
struct DefinitionCommits: Sendable {
    /// The last commit that changed the folder or an input outside it.
    var newest: ObjectID
    /// The commits that get the line: the last one that changed the folder and, where an input outside changed later, that
    /// one too.
    var noted: [ObjectID]

    /// Finds the commits of many definitions in one walk.
    static func find(
        for images: [ImageDefinition], in commit: ObjectID, source: any DefinitionSource
    ) async throws -> [ImageName: DefinitionCommits] {
        let folders = try await source.lastCommits(touching: images.map { [$0.folder] }, from: commit)
        let withOutside = images.filter { !$0.outsideInputs.isEmpty }
        let others = try await source.lastCommits(
            touching: withOutside.map { [$0.folder] + $0.outsideInputs }, from: commit)
        var newest: [ImageName: ObjectID] = [:]
        for (image, found) in zip(withOutside, others) { newest[image.name] = found }
        var result: [ImageName: DefinitionCommits] = [:]
        for (image, found) in zip(images, folders) {
            let folder = found ?? commit
            let last = newest[image.name] ?? folder
            result[image.name] = DefinitionCommits(newest: last, noted: last == folder ? [folder] : [folder, last])
        }
        return result
    }
}
