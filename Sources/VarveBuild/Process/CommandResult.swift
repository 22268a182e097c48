// SPDX-License-Identifier: Apache-2.0

/// How an execution ended, and what it said.
struct CommandResult: Hashable, Sendable {
    /// How a process ends.
    enum Status: Hashable, Sendable {
        case exited(Int)
        case signalled(Int)
    }

    /// How it ended.
    var status: Status
    /// What was captured of standard output; empty where it went to the line callback.
    var output: [UInt8]
    /// The last lines of what went to the line callback, redacted.
    var tail: [String]

    /// Whether it exited with 0.
    var isSuccess: Bool { status == .exited(0) }

    /// The captured output as text; bytes that are not UTF-8 become U+FFFD.
    var text: String { String(decoding: output, as: UTF8.self) }

    /// The tail as one text.
    var tailText: String { tail.joined(separator: "\n") }
}

extension CommandResult.Status: CustomStringConvertible {
    /// `exit status 1` or `signal 9`.
    var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}
