// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel

/// The logs of a state directory, and which of them are kept: the newest of each image always, others by number and age.
struct LogFiles {
    /// So many logs of an image stay whatever their age.
    static let always = 5
    /// No image has more logs than this.
    static let most = 50
    /// Logs beyond the first go at this age.
    static let lifetime = 30 * 86_400

    let stateDirectory: String

    /// All logs.
    func items() -> [CacheItem] { images.flatMap { $0 } }

    /// The logs that go now.
    func outdated(now: Timestamp) -> [CacheItem] {
        images.flatMap { logs in
            logs.enumerated().filter { index, log in
                index >= Self.most || (index >= Self.always && log.lastUse.seconds < now.seconds - Self.lifetime)
            }.map(\.element)
        }
    }

    /// Removes logs.
    func remove(_ items: [CacheItem]) {
        for item in items where item.kind == .log { unlink(item.name) }
    }

    /// The logs of each image, newest first: their names begin with the start of the build.
    private var images: [[CacheItem]] {
        let root = stateDirectory + "/logs"
        return names(in: root).flatMap { repository in
            names(in: root + "/" + repository).map { image in
                let folder = root + "/" + repository + "/" + image
                return names(in: folder).filter { $0.hasSuffix(".log") }.reversed().map { item(folder + "/" + $0) }
            }
        }
    }

    private func item(_ path: String) -> CacheItem {
        var status = stat()
        lstat(path, &status)
        return CacheItem(
            .log, name: path, pieces: [path: Int(status.st_blocks) * 512],
            lastUse: Timestamp(seconds: status.st_mtim.tv_sec))
    }

    private func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
