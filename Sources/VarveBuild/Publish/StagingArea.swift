// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemPackage
import VarveModel

/// Where half-made images stand: one directory each, held by a lock while it is in use.
///
/// The lock goes with the process, so what a crash leaves is told from what another process is working on.
struct StagingArea: Hashable, Sendable {
    private let directory: DurableDirectory

    /// The area in a directory that may not exist yet.
    init(_ path: FilePath) { directory = DurableDirectory(path) }

    /// Does something in a new directory, and removes the directory after it.
    ///
    /// - Throws: what the body throws; `BuildFailure` when the directory cannot be made.
    func withDirectory<Result: Sendable>(_ body: (FilePath) async throws -> Result) async throws -> Result {
        try directory.create()
        let path = directory.path.appending("\(getpid())-\(UInt64.random(in: .min ... .max))")
        let descriptor = try directory.withLock("lock") { () throws(BuildFailure) in
            try DurableDirectory(path).create()
            guard let descriptor = Self.lock(path) else {
                throw BuildFailure(.environment, message: "failed to lock '\(path)'")
            }
            return descriptor
        }
        defer {
            try? FileManager.default.removeItem(atPath: path.string)
            try? descriptor.close()
        }
        return try await body(path)
    }

    /// Where the area is.
    var path: String { directory.path.string }

    /// The directories that nobody is working in.
    func leftovers() -> [CacheItem] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0 != "lock" }.compactMap { name in
            let folder = directory.path.appending(name)
            guard let descriptor = Self.lock(folder) else { return nil }
            try? descriptor.close()
            return CacheItem(
                .leftover, name: folder.string, pieces: [folder.string: FileTime.usage(of: folder.string)],
                lastUse: FileTime.modification(of: folder.string, else: Timestamp(seconds: 0)))
        }
    }

    /// Removes every directory that nobody is working in.
    ///
    /// - Throws: `BuildFailure` when the area cannot be read or written.
    func removeLeftovers() throws(BuildFailure) {
        try directory.create()
        try directory.withLock("lock") { () throws(BuildFailure) in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path.string)) ?? []
            for name in names where name != "lock" {
                let path = directory.path.appending(name)
                guard let descriptor = Self.lock(path) else { continue }
                defer { try? descriptor.close() }
                do {
                    try FileManager.default.removeItem(atPath: path.string)
                } catch {
                    throw DurableDirectory.failure("remove", path, error)
                }
            }
        }
    }

    /// The lock of a directory; nil where somebody holds it.
    private static func lock(_ path: FilePath) -> FileDescriptor? {
        guard let descriptor = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow]) else {
            return nil
        }
        if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        try? descriptor.close()
        return nil
    }
}
