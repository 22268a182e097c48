// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for the front of PATH whose `buildah`, `skopeo` and `mmdebstrap` note each call and then become the real
/// tool: it tells what was executed, whatever varve says about it.
public struct ToolShim: Sendable {
    /// One call of a tool.
    public struct Call: Sendable, CustomStringConvertible {
        /// The tool's name.
        public var tool: String
        /// All arguments.
        public var arguments: [String]
        /// The process id, which is also the real tool's.
        public var pid: Int
        /// When it began, in seconds.
        public var start: Double
        /// How long it ran, in seconds; only noted by a timing shim.
        public var seconds: Double?

        /// The tool and its arguments.
        public var description: String { ([tool] + arguments).joined(separator: " ") }
    }

    /// The folder that goes first in PATH.
    public let folder: String
    private let log: String

    /// Makes the folder.
    ///
    /// A `timing` shim waits for the tool and notes how long it ran; it is a process between varve and the tool, so it
    /// serves measurements alone.
    ///
    /// - Throws: `FixtureError` when a tool is missing.
    public init(in directory: TemporaryDirectory, timing: Bool = false) throws {
        let name = "shim-\(UUID().uuidString.prefix(8))"
        folder = try directory.makeFolder(name)
        log = directory.path(name + ".log")
        let program = try Fixtures.text("programs/tool-shim")
        for tool in ["buildah", "skopeo", "mmdebstrap"] {
            let text = program.replacing("@TOOL@", with: try Command.locate(tool))
                .replacing("@LOG@", with: log).replacing("@TIMING@", with: timing ? "1" : "0")
            try directory.write(text, to: name + "/" + tool, executable: true)
        }
        try reset()
    }

    /// PATH with the shim first.
    public var path: String { folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") }

    /// Forgets all calls.
    ///
    /// - Throws: when the log cannot be written.
    public func reset() throws { try TemporaryDirectory.write("", to: log) }

    /// All calls since the last reset, in the order in which they began.
    ///
    /// - Throws: when the log cannot be read.
    public func calls() throws -> [Call] {
        var calls: [Call] = []
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            let entry = try JSONValue(parsing: String(line))
            guard let pid = entry["pid"].int else { continue }
            if let seconds = entry["seconds"].double, let index = calls.lastIndex(where: { $0.pid == pid }) {
                calls[index].seconds = seconds
            } else {
                calls.append(
                    Call(
                        tool: entry["tool"].string ?? "", arguments: entry["arguments"].strings, pid: pid,
                        start: entry["start"].double ?? 0
                    ))
            }
        }
        return calls
    }
}
