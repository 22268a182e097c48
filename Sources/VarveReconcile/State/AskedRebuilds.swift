// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What people asked to have rebuilt and is not built yet; on disk, so that a restart forgets none of it.
struct AskedRebuilds: Sendable {
    private(set) var rebuilds: [ImageName: Rebuild]
    private let path: String

    /// What a state directory holds.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when the file is damaged.
    init(_ directory: StateDirectory) throws(ReconcileError) {
        path = directory.rebuilds
        let entries = try StateFile.value([Entry].self, at: path) ?? []
        rebuilds = Dictionary(entries.map { ($0.image, $0.rebuild) }) { $1 }
    }

    /// Takes what was asked for an image, in place of what was asked before; nil where that is done.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when it cannot be kept; then nothing has changed.
    mutating func set(_ image: ImageName, _ rebuild: Rebuild?) throws(ReconcileError) {
        guard rebuilds[image] != rebuild else { return }
        var changed = rebuilds
        changed[image] = rebuild
        let entries = changed.map { Entry(image: $0.key, rebuild: $0.value) }.sorted { $0.image < $1.image }
        try StateFile.replace(path, withJSON: entries)
        rebuilds = changed
    }

    private struct Entry: Codable {
        var image: ImageName
        var rebuild: Rebuild
    }
}
