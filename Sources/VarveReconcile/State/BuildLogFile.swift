// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
public import VarveModel

/// The log of one image's build: a file of its own, and a copy of each line to whoever watches.
///
/// Lines are redacted and made safe for a terminal before they go anywhere. A full disk never fails the build: the log then
/// ends early.
public final class BuildLogFile: BuildLog {
    /// The file.
    public let path: String
    private let descriptor: Mutex<Int32>
    private let watcher: @Sendable (String, LayerKind) -> Void

    /// Opens a new log file in a folder that is made where it is missing.
    public init(
        folder: String, start: Timestamp, id: String, watcher: @escaping @Sendable (String, LayerKind) -> Void
    ) {
        path = "\(folder)/\(start)-\(id.prefix(12)).log"
        self.watcher = watcher
        try? StateFile.makeFolder(folder)
        descriptor = Mutex(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
    }

    deinit {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = close(descriptor) }
        }
    }

    /// Takes one line.
    public func append(line: String, layer: LayerKind) {
        let safe = singleLine(redacted(line), limit: 4_000)
        let bytes = Array("\(layer.rawValue): \(safe)\n".utf8)
        descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return }
            _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
        watcher(safe, layer)
    }
}
