// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// Runs a body that is cancelled by SIGINT, SIGTERM or SIGHUP; a second signal ends the process at once.
///
/// The running step and its processes are ended by the cancellation; finished layers and records stay.
func untilSignalled<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await body() }
    let queue = DispatchQueue(label: "signals")
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            if task.isCancelled { _exit(130) }
            task.cancel()
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
