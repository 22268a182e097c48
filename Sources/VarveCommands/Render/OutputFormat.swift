// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import VarveServer

/// How a reading command answers.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// Writes a command's answer to standard output.
enum Output {
    /// Whether standard output is a terminal that can redraw lines.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb" }

    /// The width of the terminal in columns.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 100 }
        return Int(size.ws_col)
    }

    /// Prints a line.
    static func line(_ text: String = "") { write(text + "\n", to: STDOUT_FILENO) }

    /// Prints a line for people to standard error.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Writes all bytes; a reader that went away ends it.
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Prints a value as JSON with sorted keys.
    static func json(_ value: some Encodable, pretty: Bool = true) throws {
        line(try jsonText(value, pretty: pretty))
    }

    /// A value as JSON with sorted keys.
    static func jsonText(_ value: some Encodable, pretty: Bool) throws -> String {
        try SortedJSON.text(value, isPretty: pretty)
    }
}
