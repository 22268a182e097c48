// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveReconcile

/// What was told of the images of one repository, and what is still to be told; kept in a file.
struct Outbox: Codable, Sendable {
    /// A change that one channel is to be told of.
    struct Delivery: Codable, Hashable, Sendable {
        /// The channel's key.
        var channel: String
        var notification: Notification
    }

    /// How many deliveries may wait for one channel.
    static let limit = 256

    var version = 1
    var known = KnownStates()
    private(set) var waiting: [Delivery] = []

    /// Reads a file; nil where there is none, or none that this version understands.
    static func read(_ path: String) -> Outbox? {
        guard let bytes = try? StateFile.read(path), !bytes.isEmpty else { return nil }
        guard let outbox = try? JSONDecoder().decode(Outbox.self, from: Data(bytes)), outbox.version == 1 else {
            return nil
        }
        return outbox
    }

    /// Writes the file.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    func write(_ path: String) throws {
        try StateFile.replace(path, with: Array(try JSONEncoder().encode(self)))
    }

    /// Adds a delivery; where a channel has too many, its oldest is given up and returned.
    mutating func add(_ delivery: Delivery) -> Delivery? {
        waiting.append(delivery)
        guard waiting.count(where: { $0.channel == delivery.channel }) > Self.limit,
            let oldest = waiting.firstIndex(where: { $0.channel == delivery.channel })
        else { return nil }
        return waiting.remove(at: oldest)
    }

    /// Takes a delivery out that is done with.
    mutating func remove(_ delivery: Delivery) {
        if let index = waiting.firstIndex(of: delivery) { waiting.remove(at: index) }
    }

    /// Drops what waits for channels that are not configured any more.
    mutating func keepOnly(channels: Set<String>) { waiting.removeAll { !channels.contains($0.channel) } }
}
