// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Runs a body that is cancelled by SIGINT, SIGTERM or SIGHUP; one more signal ends the process at once.
///
/// The running step and its processes are ended by the cancellation; finished layers and records stay.
///
/// - Parameter drain: what the first signal does in place of that, and how long the body then has before it is cancelled; a
///   second signal cancels it at once.
func untilSignalled<Value: Sendable>(
    drain: (action: @Sendable () -> Void, grace: Duration)? = nil, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let task = Task { try await body() }
    let queue = DispatchQueue(label: "signals")
    let hasDrained = Mutex(drain == nil)
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            if task.isCancelled { _exit(130) }
            let isFirst = hasDrained.withLock { hasDrained in
                defer { hasDrained = true }
                return !hasDrained
            }
            guard isFirst, let drain else {
                task.cancel()
                return
            }
            drain.action()
            queue.asyncAfter(deadline: .now() + drain.grace / .seconds(1)) { task.cancel() }
        }
        source.resume()
        return source
    }
    defer { for source in sources { source.cancel() } }
    return try await task.value
}

/// Lets a write to a peer that went away fail with an error in place of ending the process.
///
/// A closed pipe of `varve plan | head`, or a Git server that cut the connection. Children start with the default again.
public func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
}
