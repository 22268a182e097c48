// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import VarveModel

/// A directory whose files appear whole or not at all, also through a crash: written aside, synced, renamed.
///
/// All failures are thrown as `BuildFailure`: `diskFull` where there is no space, `environment` otherwise.
struct DurableDirectory: Hashable, Sendable {
    /// Where it is.
    let path: FilePath

    /// A directory that may not exist yet.
    init(_ path: FilePath) { self.path = path }

    /// The directory below this one.
    func directory(_ name: String) -> DurableDirectory { DurableDirectory(path.appending(name)) }

    /// Makes the directory and its parents, where they are not there.
    func create() throws(BuildFailure) {
        guard mkdir(path.string, 0o755) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, path.components.count > 1 else {
            throw Self.failure("create", path, Errno(rawValue: errno))
        }
        try DurableDirectory(path.removingLastComponent()).create()
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
            throw Self.failure("create", path, Errno(rawValue: errno))
        }
    }

    /// The size of a file in bytes; nil where there is no such regular file.
    func size(of name: String) -> Int? {
        var status = stat()
        guard stat(path.appending(name).string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// What tells one version of a file, written by `write(_:to:)`, from another; nil where there is no such file.
    func version(of name: String) -> FileVersion? {
        var status = stat()
        guard stat(path.appending(name).string, &status) == 0 else { return nil }
        return FileVersion(
            inode: UInt64(status.st_ino), seconds: Int(status.st_mtim.tv_sec),
            nanoseconds: Int(status.st_mtim.tv_nsec), size: Int(status.st_size)
        )
    }

    /// One version of a file.
    struct FileVersion: Hashable, Sendable {
        fileprivate var inode: UInt64
        fileprivate var seconds: Int
        fileprivate var nanoseconds: Int
        fileprivate var size: Int
    }

    /// The bytes of a file of up to `limit` bytes; nil where there is none.
    func read(_ name: String, limit: Int = 64 << 20) throws(BuildFailure) -> [UInt8]? {
        let file = path.appending(name)
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
            return try descriptor.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 64 << 10)
                while true {
                    let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                    guard count > 0 else { return bytes }
                    guard bytes.count + count <= limit else { throw Errno.fileTooLarge }
                    bytes += buffer[..<count]
                }
            }
        } catch let error as Errno where error == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw Self.failure("read", file, error)
        }
    }

    /// Writes a file whole, in place of the one that is there.
    func write(_ bytes: [UInt8], to name: String) throws(BuildFailure) {
        let file = path.appending(name)
        let aside = path.appending(temporaryName())
        do {
            let descriptor = try FileDescriptor.open(
                aside, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
            try descriptor.closeAfter {
                try descriptor.writeAll(bytes)
                guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard rename(aside.string, file.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(aside.string)
            throw Self.failure("write", file, error)
        }
        try sync()
    }

    /// Gives a file of another place a name here, without a copy where both are on one file system.
    ///
    /// A file that is there already is replaced.
    func link(_ source: FilePath, as name: String) throws(BuildFailure) {
        let file = path.appending(name)
        let aside = path.appending(temporaryName())
        do {
            if Glibc.link(source.string, aside.string) != 0 {
                guard [EXDEV, EPERM, EMLINK].contains(errno) else { throw Errno(rawValue: errno) }
                try Self.copy(source, to: aside)
            }
            guard rename(aside.string, file.string) == 0 else { throw Errno(rawValue: errno) }
            // Two names of one file: then rename does nothing at all.
            unlink(aside.string)
        } catch {
            unlink(aside.string)
            throw Self.failure("write", file, error)
        }
    }

    /// Makes the names of this directory durable.
    func sync() throws(BuildFailure) {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
            try descriptor.closeAfter {
                guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        } catch {
            throw Self.failure("sync", path, error)
        }
    }

    /// Does something while no other process or task does anything under the same lock file of this directory.
    ///
    /// The body must not wait for anything but files: the calling thread blocks.
    func withLock<Result>(_ name: String, _ body: () throws(BuildFailure) -> Result) throws(BuildFailure) -> Result {
        let file = path.appending(name)
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(
                file, .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        } catch {
            throw Self.failure("lock", file, error)
        }
        defer { try? descriptor.close() }
        while flock(descriptor.rawValue, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Self.failure("lock", file, Errno(rawValue: errno)) }
        }
        return try body()
    }

    private func temporaryName() -> String { ".new-\(getpid())-\(UInt64.random(in: .min ... .max))" }

    private static func copy(_ source: FilePath, to target: FilePath) throws {
        let input = try FileDescriptor.open(source, .readOnly, options: .closeOnExec)
        try input.closeAfter {
            let output = try FileDescriptor.open(
                target, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
            try output.closeAfter {
                var buffer = [UInt8](repeating: 0, count: 1 << 20)
                while case let count = try buffer.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 {
                    try output.writeAll(buffer[..<count])
                }
                guard fsync(output.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }

    /// A file error as a failure.
    static func failure(_ verb: String, _ path: FilePath, _ error: any Error) -> BuildFailure {
        let full = error as? Errno == .noSpace || error as? Errno == .diskQuotaExceeded
        return BuildFailure(full ? .diskFull : .environment, message: "failed to \(verb) '\(path)': \(error)")
    }
}
