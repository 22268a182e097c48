// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel
import VarveReconcile

/// Finds the log of a build among those that lie in a state directory.
///
/// A log is named by its build's start and the first twelve digits of its id. What is looked for is compared with names
/// that are there; no path is ever made from a request.
struct LogFolder {
    private let folder: String

    init(_ state: StateDirectory, image: ImageName) { folder = state.logs(of: image) }

    /// The digits of the id that stand in a log file's name.
    static func build(ofFile path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard name.hasSuffix(".log"), let dash = name.lastIndex(of: "-") else { return "" }
        return String(name[name.index(after: dash)...].dropLast(4))
    }

    /// The path of a build's log; nil where there is none on this machine.
    func path(ofBuild id: String) -> String? {
        let wanted = id.prefix(12)
        guard wanted.utf8.count == 12 else { return nil }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.first { Self.build(ofFile: $0) == wanted }.map { "\(folder)/\($0)" }
    }
}

/// A file that is open for reading, at any place of it and by any number of tasks.
final class OpenFile: Sendable {
    private let descriptor: Int32

    /// Opens a regular file; a link is not followed, and nil is where there is none.
    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The size in bytes.
    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Some bytes from a place on; none at the end.
    func read(at offset: Int, upTo count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            var result = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            while result < 0, errno == EINTR { result = pread(descriptor, buffer.baseAddress, count, off_t(offset)) }
            length = max(0, result)
        }
    }
}
