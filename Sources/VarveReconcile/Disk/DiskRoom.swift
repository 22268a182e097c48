// SPDX-License-Identifier: Apache-2.0

import Glibc
import VarveModel

/// The room on the disk of a folder.
public struct DiskRoom: Hashable, Sendable {
    /// The bytes that are free.
    public var bytes: Int
    /// The files that can still be made; nil where the file system sets no limit.
    public var files: Int?

    /// Room of a known size.
    public init(bytes: Int, files: Int?) {
        self.bytes = bytes
        self.files = files
    }

    /// Asks the file system of a folder.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when it does not answer.
    public init(of folder: String) throws(ReconcileError) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            throw ReconcileError(.stateDirectory, subject: folder, cause: StateFile.lastError())
        }
        // By subtraction from the largest number where a file system is larger than that.
        let (bytes, overflows) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        self.init(bytes: overflows ? .max : bytes, files: status.f_files == 0 ? nil : Int(clamping: status.f_favail))
    }
}

/// How much of the disk varve leaves alone, and how much it takes for itself.
public struct DiskLimits: Hashable, Sendable {
    /// The bytes that must be free before something is built.
    public var reserve: Int
    /// The bytes that layers, their compressed forms and the caches of steps may take together.
    public var cache: Int
    /// The files that it must still be possible to make before something is built: a layer of Python packages has tens of thousands.
    public var files = 10_000

    /// Limits; by default 2 GiB stay free, and caches take 20 GiB.
    public init(reserve: Int = 2 << 30, cache: Int = 20 << 30) {
        self.reserve = reserve
        self.cache = cache
    }

    /// What is missing, in words; nil where there is room for a build.
    public func lack(in room: DiskRoom) -> String? {
        if room.bytes < reserve { return "\(sizeText(room.bytes)) are free and \(sizeText(reserve)) must be" }
        if let free = room.files, free < files { return "\(free) more files can be made and \(files) must be" }
        return nil
    }
}
