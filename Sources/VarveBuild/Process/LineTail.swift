// SPDX-License-Identifier: Apache-2.0

/// The last lines of a stream.
struct LineTail: Sendable {
    /// The lines, oldest first.
    private(set) var lines: [String] = []
    private let limit: Int

    /// A tail of up to `limit` lines.
    init(limit: Int = 40) { self.limit = limit }

    /// Takes one line and drops the oldest where there are too many.
    mutating func append(_ line: String) {
        if lines.count == limit { lines.removeFirst() }
        lines.append(line)
    }
}
