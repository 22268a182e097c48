// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import VarveGit
import VarveModel
import VarveReconcile

/// A loop that makes a pass for each line it reads, and tells what the process then holds.
enum LoopBench {
    static func run(_ folder: String, state path: String) async throws {
        FreeMemory.useOneArena()
        let state = StateDirectory(path: path, repository: folder)
        try state.prepare()
        let bell = Bell()
        let now: @Sendable () -> Timestamp = { Timestamp(seconds: Int(Date().timeIntervalSince1970)) }
        let last = Mutex<PassResult?>(nil)
        let (results, continuation) = AsyncStream<PassResult?>.makeStream()
        // At rest: what a pass holds while it works is not what stays.
        let control = try LoopControl(state, bell: bell, now: now) { _ in continuation.yield(last.withLock(\.self)) }
        let events: @Sendable (PassEvent) -> Void = { event in
            control.note(event)
            if case .finished(let result) = event { last.withLock { $0 = result } }
        }
        let loop = ReconcileLoop(
            try VarveBench.reconciler(GitRepository(opening: folder), state, events: events),
            settings: LoopSettings(interval: .seconds(36_000), baseInterval: .seconds(36_000)), bell: bell,
            control: control, events: events)
        let task = Task { await loop.run() }
        for await result in results {
            guard let result, result.isGood else {
                throw BenchError("a pass went wrong: \(String(describing: result))")
            }
            print(
                "{\"built\": \(result.built.count), \"kilobytes\": \(residentKilobytes()), "
                    + "\"used\": \(usedKilobytes()), "
                    + "\"descriptors\": \(count("/proc/self/fd")), \"threads\": \(count("/proc/self/task"))}")
            fflush(nil)
            guard readLine() != nil else { break }
            bell.ring()
        }
        task.cancel()
        await task.value
    }

    private static func count(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
    }

    /// What of glibc's heap is in use: what its arenas and mappings have, without what is free in them.
    private static func usedKilobytes() -> Int {
        typealias Info = @convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32
        guard let symbol = dlsym(nil, "malloc_info") else { return 0 }
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        guard let stream = open_memstream(&text, &size) else { return 0 }
        _ = unsafeBitCast(symbol, to: Info.self)(0, stream)
        fclose(stream)
        defer { free(text) }
        // The totals of the whole heap stand last.
        let lines = String(cString: text ?? strdup("")).split(separator: "\n").suffix(9)
        func total(_ start: String) -> Int {
            let line = lines.first { $0.hasPrefix(start) }
            return line.flatMap { $0.split(separator: "size=\"").last }.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        }
        let free = total("<total type=\"fast\"") + total("<total type=\"rest\"")
        return (total("<system type=\"current\"") - free + total("<total type=\"mmap\"")) / 1_024
    }

    private static func residentKilobytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
}
