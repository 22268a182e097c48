// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel
import VarvePlan

/// The layers that the repositories of a state directory need, as the last pass over each has found them.
///
/// A file a repository, so that collecting needs neither the repositories nor the network, and knows of all of them.
enum NeededLayers {
    /// A repository that no pass has looked at for this long is no longer kept here.
    static let lifetime = 30 * 86_400

    /// The layers of what is defined now, and of the last good build of each image that is still defined.
    static func keys(of plan: Plan, _ history: History) -> Set<LayerKey> {
        var keys: Set<LayerKey> = []
        for image in plan.images {
            for part in image.platforms { keys.formUnion(part.layers.compactMap(\.key)) }
        }
        let names = plan.images.map(\.definition.name) + plan.invalid.compactMap { try? ImageName($0.name) }
        for name in names {
            keys.formUnion(history.lastGood[name]?.layers.map(\.key) ?? [])
        }
        return keys
    }

    /// Keeps the layers of a repository; a file that cannot be written costs work later, and fails nothing.
    static func write(_ keys: Set<LayerKey>, to path: String) {
        let bytes = Array(keys.sorted().map { $0.hex + "\n" }.joined().utf8)
        if let old = try? StateFile.read(path), old == bytes {
            utimes(path, nil)
        } else {
            try? StateFile.replace(path, with: bytes)
        }
    }

    /// The layers that any repository of a state directory needs.
    static func read(in stateDirectory: String, now: Timestamp) -> Set<LayerKey> {
        let folder = stateDirectory + "/journal"
        var keys: Set<LayerKey> = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasSuffix(".layers") {
            var status = stat()
            guard stat(folder + "/" + name, &status) == 0, status.st_mtim.tv_sec > now.seconds - lifetime,
                let bytes = try? StateFile.read(folder + "/" + name)
            else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                if let key = try? LayerKey(hex: String(line)) { keys.insert(key) }
            }
        }
        return keys
    }
}
