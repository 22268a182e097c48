// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Glibc

/// Calls back when the branches of a repository on this machine move, by inotify(7).
///
/// A hint and no more: it may call for what changed nothing, and what it misses (a network file system, an exhausted limit
/// of watches) is seen at the next pass.
public final class ReferenceWatch: Sendable {
    // A dispatch source may be cancelled from any thread; its type does not say so on Linux.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// Watches the refs of a repository until the value goes away; nil where the system gives no watch.
    public init?(_ repository: GitRepository, _ changed: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        let path = repository.gitFolder
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "varve.git.watch"))
        // HEAD and packed-refs stand in the folder itself, among much that git writes all the time.
        let own = inotify_add_watch(descriptor, folder, Self.mask)
        Self.watchHeads(of: folder, with: descriptor)
        source.setEventHandler {
            let hasMoved = Self.names(from: descriptor).contains { watch, name in
                watch == own ? ["HEAD", "packed-refs"].contains(name) : !name.hasSuffix(".lock")
            }
            guard hasMoved else { return }
            // A branch with a new folder in its name brings that folder with it.
            Self.watchHeads(of: folder, with: descriptor)
            changed()
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
    }

    deinit { source.cancel() }

    private static let mask =
        UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_MOVED_TO) | UInt32(IN_CLOSE_WRITE) | UInt32(IN_ONLYDIR)

    /// Watches every folder of branches; watching one again changes nothing.
    private static func watchHeads(of folder: String, with descriptor: Int32) {
        let heads = folder + "/refs/heads"
        var open = [heads]
        while let folder = open.popLast() {
            // Fails for what is no folder.
            guard inotify_add_watch(descriptor, folder, mask) >= 0 else { continue }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            open += names.map { folder + "/" + $0 }
        }
    }

    /// What happened since the last call: the watch and the name of each event.
    private static func names(from descriptor: Int32) -> [(watch: Int32, name: String)] {
        var result: [(watch: Int32, name: String)] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return result }
            buffer.withUnsafeBytes { bytes in
                let header = MemoryLayout<inotify_event>.size
                var offset = 0
                while offset + header <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let end = min(offset + header + Int(event.len), count)
                    let name = bytes[(offset + header)..<end].prefix { $0 != 0 }
                    result.append((event.wd, String(decoding: name, as: UTF8.self)))
                    offset = end
                }
            }
        }
    }
}
