// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveReconcile

/// Watches the logs of running builds for all streams at once: one descriptor and one look a log, however many follow it.
///
/// A stream keeps its own place in the file and nothing else, so a slow reader holds up nobody and fills no memory.
final class LogWatch: Sendable {
    private struct State {
        var files: [String: SharedLog] = [:]
        /// Whether nothing is watched any more.
        var isEnded = false
    }

    private let state = Mutex(State())
    private let bell = Bell()
    /// How often logs are looked at.
    private let interval: Duration
    /// After how many looks every stream is woken, news or not.
    private let looksBetweenSigns: Int

    init(interval: Duration = .milliseconds(100), sign: Duration = .seconds(10)) {
        self.interval = interval
        looksBetweenSigns = max(1, Int(sign / interval))
    }

    /// How many streams there are.
    var count: Int { state.withLock { $0.files.values.reduce(0) { $0 + $1.readers } } }

    /// A reader of a log's end; the log is watched for as long as a reader of it is kept.
    ///
    /// - Parameter isRunning: whether more may be written to the log.
    func tail(of path: String, _ file: OpenFile, isRunning: @escaping @Sendable () -> Bool) -> LogTail {
        let (log, isEnded) = state.withLock { state in
            let log = state.files[path] ?? SharedLog(file, isRunning: isRunning)
            log.addReader()
            state.files[path] = log
            return (log, state.isEnded)
        }
        if isEnded { log.cut() }
        bell.ring()
        return LogTail(log) { [self] in
            state.withLock { state in
                if log.removeReader() == 0, state.files[path] === log { state.files[path] = nil }
            }
        }
    }

    /// Looks at all logs until the task is cancelled; every stream is cut then.
    func run() async {
        var looks = 0
        while !Task.isCancelled {
            let logs = state.withLock { Array($0.files.values) }
            looks += 1
            let isSign = looks % looksBetweenSigns == 0
            for log in logs { log.look(wakingAll: isSign) }
            if logs.isEmpty {
                await bell.wait(atMost: .seconds(3_600))
            } else {
                try? await Task.sleep(for: interval)
            }
        }
        let logs = state.withLock { state in
            state.isEnded = true
            return Array(state.files.values)
        }
        for log in logs { log.cut() }
    }
}

/// One log that is being written, as all its readers see it.
final class SharedLog: Sendable {
    /// How far the log has come.
    struct Progress: Sendable {
        var size: Int
        /// Whether nothing more will be written.
        var isOver: Bool
        /// Whether nobody looks any more.
        var isCut = false
    }

    private struct State {
        var progress: Progress
        var readers = 0
        var next = 0
        var waiters: [Int: (offset: Int, continuation: CheckedContinuation<Progress, Never>)] = [:]
    }

    let file: OpenFile
    private let isRunning: @Sendable () -> Bool
    private let state: Mutex<State>

    init(_ file: OpenFile, isRunning: @escaping @Sendable () -> Bool) {
        self.file = file
        self.isRunning = isRunning
        // Asked before looking: what was written before the build ended is then seen for certain.
        let isOver = !isRunning()
        state = Mutex(State(progress: Progress(size: file.size, isOver: isOver)))
    }

    var readers: Int { state.withLock(\.readers) }
    func addReader() { state.withLock { $0.readers += 1 } }
    func removeReader() -> Int {
        state.withLock { state in
            state.readers -= 1
            return state.readers
        }
    }

    /// Looks at the file and wakes those whom it concerns.
    func look(wakingAll: Bool) {
        let isOver = !isRunning()
        let progress = Progress(size: file.size, isOver: isOver)
        let woken = state.withLock { state -> [CheckedContinuation<Progress, Never>] in
            guard !state.progress.isCut else { return [] }
            state.progress = progress
            let concerned = state.waiters.filter { wakingAll || isOver || $0.value.offset < progress.size }
            for id in concerned.keys { state.waiters[id] = nil }
            return concerned.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: progress) }
    }

    /// Lets nobody wait any more.
    func cut() {
        let (woken, progress) = state.withLock { state in
            state.progress.isCut = true
            defer { state.waiters = [:] }
            return (state.waiters.values.map(\.continuation), state.progress)
        }
        for continuation in woken { continuation.resume(returning: progress) }
    }

    /// Waits until the log has more than `offset` bytes or is over, for a sign of life, or for the task's cancellation.
    func progress(after offset: Int) async -> Progress {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Progress? in
                    let progress = state.progress
                    if progress.size > offset || progress.isOver || progress.isCut || Task.isCancelled {
                        return progress
                    }
                    state.waiters[id] = (offset, continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            let (waiter, known) = state.withLock { ($0.waiters.removeValue(forKey: id), $0.progress) }
            waiter?.continuation.resume(returning: known)
        }
    }
}
