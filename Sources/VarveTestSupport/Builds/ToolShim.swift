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
        // A program that a test has just written cannot always be run: as long as a child that another test starts holds
        // the descriptor, the kernel says "text file busy". So the program is a link to a file that nobody writes.
        let program = Fixtures.path("programs/tool-shim")
        var settings = "log='\(log)' timing=\(timing ? 1 : 0)\n"
        for tool in ["buildah", "skopeo", "mmdebstrap"] {
            settings += "tools[\(tool)]='\(try Command.locate(tool))'\n"
            try FileManager.default.createSymbolicLink(atPath: folder + "/" + tool, withDestinationPath: program)
        }
        try directory.write(settings, to: name + "/settings")
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
