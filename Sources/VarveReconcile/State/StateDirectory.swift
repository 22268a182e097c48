// SPDX-License-Identifier: Apache-2.0

import Glibc
public import VarveModel
import VarvePlan

/// Where everything that varve keeps on this machine lies; all of it can be lost without losing a record that a remote has.
public struct StateDirectory: Sendable {
    /// The folder itself.
    public let path: String
    /// Tells repositories that share a state directory apart: 16 hexadecimal digits of the address's SHA-256.
    public let repositoryKey: String

    /// The state of one repository in a state directory.
    ///
    /// - Parameters:
    ///   - path: the absolute path of the state directory.
    ///   - repository: the absolute path or the URL of the repository.
    public init(path: String, repository: String) {
        self.path = path
        repositoryKey = String(Digest(sha256: Array(repository.utf8)).hex.prefix(16))
    }

    /// The bare copy of a remote repository.
    public var clone: String { "\(path)/repositories/\(repositoryKey).git" }
    /// The embedded OCI layout.
    public var images: String { "\(path)/images" }
    /// The journal of the repository.
    public var journal: String { "\(path)/journal/\(repositoryKey).jsonl" }
    /// What a running pass is doing.
    public var running: String { "\(path)/journal/\(repositoryKey).running.json" }
    /// The images that an operator has suspended.
    var suspended: String { "\(path)/journal/\(repositoryKey).suspended.json" }
    /// What people asked to have rebuilt.
    var rebuilds: String { "\(path)/journal/\(repositoryKey).rebuilds.json" }
    /// The keys of the layers that the repository needs, a line each.
    var layers: String { "\(path)/journal/\(repositoryKey).layers" }
    /// What was told of images, and what is still to be told.
    public var notifications: String { "\(path)/journal/\(repositoryKey).notifications.json" }
    /// The logs of an image, a file a build.
    public func logs(of image: ImageName) -> String { "\(path)/logs/\(repositoryKey)/\(image)" }

    /// The images that an operator has suspended, by name.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when the file is damaged: what somebody has put aside is not built by
    ///   mistake.
    public func suspendedImages() throws(ReconcileError) -> [ImageName] {
        try StateFile.value([ImageName].self, at: suspended) ?? []
    }

    /// Makes the folders.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    public func prepare() throws(ReconcileError) {
        for folder in ["repositories", "journal", "logs"] { try StateFile.makeFolder("\(path)/\(folder)") }
    }
}

/// The right to change a state directory: held by one process at a time, and given back by the kernel when it ends.
public struct StateLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: `ReconcileError.locked` when another process holds it, `ReconcileError.stateDirectory` when the lock
    ///   file cannot be made.
    public init(_ state: StateDirectory) throws(ReconcileError) {
        let path = "\(state.path)/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ReconcileError(.stateDirectory, subject: path, cause: StateFile.lastError())
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ReconcileError(
                .locked, subject: state.path,
                cause: "another varve process is using it; wait for it, or give this one its own --state-dir")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Whether some process holds the lock of a state directory now.
    public static func isHeld(_ state: StateDirectory) -> Bool {
        let descriptor = open("\(state.path)/lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
