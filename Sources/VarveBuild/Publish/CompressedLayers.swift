// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemPackage
import VarveModel

/// The compressed form of every layer that was exported, found by the digest of the uncompressed one.
///
/// Compressing is what takes time in an export; this way each layer is compressed once a state directory. Losing it costs
/// time and nothing else.
struct CompressedLayers: Hashable, Sendable {
    private let blobs: BlobDirectory
    private let records: DurableDirectory
    /// How long a layer that nobody asks for is kept.
    private static let lifetime = 14 * 86_400

    /// The layers below a directory that may not exist yet.
    init(_ path: FilePath) {
        let directory = DurableDirectory(path)
        blobs = BlobDirectory(directory.directory("blobs"))
        records = directory.directory("diff-ids")
    }

    /// Makes the directories, where they are not there.
    func create() throws(BuildFailure) {
        try blobs.create()
        try records.create()
    }

    /// The compressed form of a layer; nil where it is not there.
    func layer(_ diffID: Digest) -> OCIDescriptor? {
        guard let bytes = try? records.read(diffID.hex, limit: 4 << 10),
            let descriptor = try? JSONDecoder().decode(OCIDescriptor.self, from: Data(bytes)),
            blobs.contains(descriptor)
        else { return nil }
        // The time of last use; the oldest go first.
        utimes(records.path.appending(diffID.hex).string, nil)
        return descriptor
    }

    /// Where the bytes of a compressed layer are.
    func path(of descriptor: OCIDescriptor) -> FilePath { blobs.path(of: descriptor.digest) }

    /// Keeps the compressed form of a layer.
    ///
    /// Its bytes are checked by whoever takes them from here: skopeo, or the layout they are published to.
    ///
    /// - Throws: `BuildFailure` when it cannot be kept.
    func keep(_ file: FilePath, as descriptor: OCIDescriptor, diffID: Digest) throws(BuildFailure) {
        try blobs.adopt(file, as: descriptor)
        try blobs.sync()
        do {
            try records.write(Array(JSONEncoder().encode(descriptor)), to: diffID.hex)
        } catch let failure as BuildFailure {
            throw failure
        } catch {
            throw DurableDirectory.failure("write", records.path.appending(diffID.hex), error)
        }
    }

    /// Removes those of some layers whose bytes are not what their digest names; whether there were any.
    ///
    /// They are not read on the way to being published; this is asked when publishing failed.
    @concurrent
    func removeDamaged(_ layers: [OCIDescriptor]) async -> Bool {
        var isAnyDamaged = false
        for layer in layers {
            let path = path(of: layer)
            guard let digest = try? Digest.ofFile(at: path), digest != layer.digest else { continue }
            unlink(path.string)
            isAnyDamaged = true
        }
        return isAnyDamaged
    }

    /// Removes the layers that nobody has asked for in a long time.
    func removeUnused() {
        var now = timeval()
        gettimeofday(&now, nil)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: records.path.string)) ?? [] {
            let record = records.path.appending(name)
            var status = stat()
            guard stat(record.string, &status) == 0, status.st_mtim.tv_sec < now.tv_sec - Self.lifetime else {
                continue
            }
            if let bytes = try? records.read(name, limit: 4 << 10),
                let descriptor = try? JSONDecoder().decode(OCIDescriptor.self, from: Data(bytes))
            {
                unlink(blobs.path(of: descriptor.digest).string)
            }
            unlink(record.string)
        }
    }

    /// What is kept, each layer with its bytes; a blob without a record is one too.
    func items() -> [CacheItem] {
        var items: [CacheItem] = []
        var known: Set<String> = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: records.path.string)) ?? [] {
            guard let bytes = try? records.read(name, limit: 4 << 10),
                let descriptor = try? JSONDecoder().decode(OCIDescriptor.self, from: Data(bytes))
            else { continue }
            let blob = blobs.path(of: descriptor.digest).string
            known.insert(blob)
            items.append(
                CacheItem(
                    .compressed, name: name, pieces: [blob: FileTime.usage(of: blob)],
                    lastUse: FileTime.modification(
                        of: records.path.appending(name).string, else: Timestamp(seconds: 0))))
        }
        let folder = blobs.folder.string
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let blob = folder + "/" + name
            guard !known.contains(blob) else { continue }
            items.append(
                CacheItem(
                    .compressed, name: Self.orphan + name, pieces: [blob: FileTime.usage(of: blob)],
                    lastUse: FileTime.modification(of: blob, else: Timestamp(seconds: 0)), needsQuiet: true))
        }
        return items
    }

    /// What stands before the name of a blob without a record.
    private static let orphan = "blob "

    /// Removes one of `items()`.
    func remove(_ item: CacheItem) {
        if !item.name.hasPrefix(Self.orphan) { unlink(records.path.appending(item.name).string) }
        for blob in item.pieces.keys { unlink(blob) }
    }
}
