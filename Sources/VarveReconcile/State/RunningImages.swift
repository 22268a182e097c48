// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization
public import VarveModel

/// What a running pass is doing, in a small file that other processes read for `status` and `logs -f`.
///
/// Best effort, and worth nothing once the process that wrote it is gone: readers ask the state lock first.
public final class RunningImages: Sendable {
    /// One image that is being worked on.
    public struct Entry: Codable, Hashable, Sendable {
        /// The layer, `verify` or `publish`.
        public var step: String
        /// When the image's build began.
        public var start: Timestamp
        /// The log file.
        public var log: String
    }

    private let path: String
    private let now: @Sendable () -> Timestamp
    private let entries = Mutex<[String: Entry]>([:])

    /// A file of its own for the repository of this state.
    public init(_ state: StateDirectory, now: @escaping @Sendable () -> Timestamp) {
        path = state.running
        self.now = now
        try? StateFile.replace(path, with: Array("{}".utf8))
    }

    /// Takes an event of the pass.
    public func note(_ event: PassEvent) {
        entries.withLock { entries in
            switch event {
            case .imageStarted(let image, _, let log):
                entries[image.value] = Entry(step: "base", start: now(), log: log)
            case .layerStarted(let image, let kind, _): entries[image.value]?.step = kind.rawValue
            case .verifyStarted(let image): entries[image.value]?.step = "verify"
            case .publishStarted(let image): entries[image.value]?.step = "publish"
            case .imageFinished(let record): entries[record.image.value] = nil
            case .imageSkipped(let name, _, _): entries[name] = nil
            case .finished: entries = [:]
            default: return
            }
            guard let data = try? JSONEncoder().encode(entries) else { return }
            try? StateFile.replace(path, with: Array(data))
        }
    }

    /// What is running now, by image; empty when no process holds the state directory.
    public static func read(_ state: StateDirectory) -> [String: Entry] {
        guard StateLock.isHeld(state), let bytes = try? StateFile.read(state.running) else { return [:] }
        return (try? JSONDecoder().decode([String: Entry].self, from: Data(bytes))) ?? [:]
    }
}
