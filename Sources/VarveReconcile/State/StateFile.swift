// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// The few file operations that the state directory needs, each complete on disk when it returns.
public enum StateFile {
    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws(ReconcileError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ReconcileError(.stateDirectory, subject: path, cause: lastError())
        }
    }

    /// The bytes of a file, none where there is no such file.
    ///
    /// By the system's calls: Foundation's reading of an empty file, which the journal mostly is, leaks a page each time.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    public static func read(_ path: String) throws(ReconcileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return [] }
            throw ReconcileError(.stateDirectory, subject: path, cause: lastError())
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ReconcileError(.stateDirectory, subject: path, cause: lastError()) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// The value that a file holds as JSON; nil where there is no such file, or an empty one.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when it cannot be read, or holds something else.
    static func value<Value: Decodable>(_ type: Value.Type, at path: String) throws(ReconcileError) -> Value? {
        let bytes = try read(path)
        if bytes.isEmpty { return nil }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ReconcileError(
                .stateDirectory, subject: path, cause: "it is damaged; put it right, or remove it with what it holds")
        }
    }

    /// Replaces a file by a value as JSON.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    static func replace(_ path: String, withJSON value: some Encodable) throws(ReconcileError) {
        do {
            try replace(path, with: Array(try JSONEncoder().encode(value)))
        } catch {
            throw error as? ReconcileError ?? ReconcileError(.stateDirectory, subject: path, cause: "\(error)")
        }
    }

    /// Appends to a file and forces it to disk.
    static func append(_ bytes: [UInt8], to path: String) throws(ReconcileError) {
        try write(bytes, to: path, flags: O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)
    }

    /// Replaces a file as a whole: a reader sees the old bytes or the new ones.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    public static func replace(_ path: String, with bytes: [UInt8]) throws(ReconcileError) {
        let draft = path + ".new"
        try write(bytes, to: draft, flags: O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC)
        guard rename(draft, path) == 0 else {
            throw ReconcileError(.stateDirectory, subject: path, cause: lastError())
        }
        try syncFolder(of: path)
    }

    private static func write(_ bytes: [UInt8], to path: String, flags: Int32) throws(ReconcileError) {
        let isNew = access(path, F_OK) != 0
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw ReconcileError(.stateDirectory, subject: path, cause: lastError()) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ReconcileError(.stateDirectory, subject: path, cause: lastError()) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw ReconcileError(.stateDirectory, subject: path, cause: lastError()) }
        if isNew { try syncFolder(of: path) }
    }

    private static func syncFolder(of path: String) throws(ReconcileError) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReconcileError(.stateDirectory, subject: folder, cause: lastError()) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ReconcileError(.stateDirectory, subject: folder, cause: lastError()) }
    }

    /// The system's words for the last error.
    static func lastError() -> String { String(cString: strerror(errno)) }
}
