// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Holds the writers of a Git server between the moment they were told the refs and the moment their push is read.
public struct PushGate: Sendable {
    /// The folder through which the server's processes see the gate.
    public let folder: String

    /// A gate that stands open.
    ///
    /// - Throws: when the folder cannot be made.
    public init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Lets no further push through.
    ///
    /// - Throws: when the gate's file cannot be written.
    public func close() throws { try TemporaryDirectory.write("", to: folder + "/hold") }

    /// Lets all held pushes through at once, and those that follow.
    ///
    /// - Throws: when the gate's file cannot be removed.
    public func open() throws { try FileManager.default.removeItem(atPath: folder + "/hold") }

    /// How many pushes came to the closed gate since it was made.
    public var arrivals: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.count { $0.hasPrefix("waiting.") }
    }

    /// Waits until `count` pushes have come to the closed gate.
    ///
    /// - Throws: `FixtureError` after the deadline.
    public func wait(for count: Int, deadline: Duration = .seconds(120)) async throws {
        try await Loopback.wait(for: "\(count) held pushes", deadline: deadline) { arrivals >= count }
    }
}
