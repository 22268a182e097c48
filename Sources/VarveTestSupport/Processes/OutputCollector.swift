// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Reads a pipe to its end on a thread of its own, keeps the bytes, and hands out lines.
final class OutputCollector: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isFinished = false
        var listeners: [AsyncStream<Void>.Continuation] = []
    }
    private let state = Mutex(State())

    /// Starts reading.
    func collect(from pipe: Pipe) {
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread { [self] in
            while case let data = handle.availableData, !data.isEmpty {
                publish { $0.bytes.append(contentsOf: data) }
            }
            try? handle.close()
            publish { $0.isFinished = true }
        }
    }

    private func publish(_ change: (inout State) -> Void) {
        let (listeners, isFinished) = state.withLock { state in
            change(&state)
            return (state.listeners, state.isFinished)
        }
        for listener in listeners {
            listener.yield()
            if isFinished { listener.finish() }
        }
    }

    /// All text so far.
    var text: String { String(decoding: state.withLock(\.bytes), as: UTF8.self) }

    /// Waits for the end of the output.
    func finished() async {
        for await _ in changes() where state.withLock(\.isFinished) { return }
    }

    /// The lines from the first on, as they come.
    func lines() -> AsyncStream<String> {
        AsyncStream { continuation in
            let changes = changes()
            let reader = Task {
                var position = 0
                for await _ in changes {
                    let (bytes, isFinished) = state.withLock { ($0.bytes[position...], $0.isFinished) }
                    var rest = bytes
                    while let end = rest.firstIndex(of: 0x0a) {
                        continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                        rest = rest[(end + 1)...]
                    }
                    if isFinished, !rest.isEmpty { continuation.yield(String(decoding: rest, as: UTF8.self)) }
                    position = rest.startIndex
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in reader.cancel() }
        }
    }

    private func changes() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.listeners.append(continuation) }
                return state.isFinished
            }
            continuation.yield()
            if isFinished { continuation.finish() }
        }
    }
}
