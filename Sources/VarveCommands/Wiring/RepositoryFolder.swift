// SPDX-License-Identifier: Apache-2.0

import Glibc
import VarveModel

/// A folder of the working folder that a command writes into.
///
/// Opened component by component, so that no symbolic link of the repository leads elsewhere; files are made anew.
final class RepositoryFolder {
    private let descriptor: Int32
    private let path: String

    /// Opens a folder, and makes what is missing of its path.
    ///
    /// - Parameter isNew: whether the folder must not be there yet.
    init(_ place: RepositoryPath, in root: String, isNew: Bool = false) throws {
        var walked = root
        var current = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard current >= 0 else { throw Self.failure("open", root) }
        for (index, name) in place.components.enumerated() {
            walked += "/" + name
            let isMade = mkdirat(current, name, 0o777) == 0
            let cause = errno
            if isNew, index == place.components.count - 1, !isMade {
                Glibc.close(current)
                if cause == EEXIST { throw CommandError("'\(singleLine(walked))' is there already") }
                throw Self.failure("make", walked, cause)
            }
            let next = openat(current, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let reason = isMade || cause == EEXIST ? errno : cause
            Glibc.close(current)
            if next < 0, reason == ELOOP || reason == ENOTDIR {
                throw CommandError(
                    "'\(singleLine(walked))' is no folder; varve follows no link and writes over no file")
            }
            guard next >= 0 else { throw Self.failure("open", walked, reason) }
            current = next
        }
        descriptor = current
        path = walked
    }

    deinit { Glibc.close(descriptor) }

    /// Writes a file that is not there yet.
    func write(_ bytes: [UInt8], to name: String, isExecutable: Bool = false) throws {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = openat(descriptor, name, flags, isExecutable ? 0o777 : 0o666)
        guard file >= 0 else { throw Self.failure("write", path + "/" + name) }
        defer { Glibc.close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path + "/" + name) }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes a file in place of one that may be there.
    func replace(_ name: String, with bytes: [UInt8]) throws {
        let temporary = ".\(name).\(getpid())"
        unlinkat(descriptor, temporary, 0)
        try write(bytes, to: temporary)
        guard renameat(descriptor, temporary, descriptor, name) == 0 else {
            throw Self.failure("write", path + "/" + name)
        }
    }

    /// Removes files that this program has just written.
    func remove(_ names: [String]) {
        for name in names { unlinkat(descriptor, name, 0) }
    }

    /// The bytes of a file anywhere, at most `limit` and one more.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { Glibc.close(file) }
        var bytes: [UInt8] = []
        while bytes.count <= limit {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: min(65_536, limit + 1 - bytes.count)) {
                buffer, initialized in
                count = Glibc.read(file, buffer.baseAddress, buffer.count)
                initialized = max(count, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            bytes += piece
        }
        return bytes
    }

    private static func failure(_ verb: String, _ path: String, _ code: Int32 = errno) -> CommandError {
        CommandError("failed to \(verb) '\(singleLine(path))': \(String(cString: strerror(code)))")
    }
}
