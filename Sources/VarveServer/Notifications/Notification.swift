// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
import VarveModel

/// What is told of an image's change; all text is redacted, and capped in size.
struct Notification: Codable, Hashable, Sendable {
    /// The same for each attempt to deliver it, and for each receiver.
    var id: String
    var event: NotificationSettings.Event
    /// Whether the image had failed before, on another commit: news for that commit alone.
    var isRepeated = false
    var image: String
    /// The repository's address without credentials.
    var repository: String
    var commit: String?
    /// The class of the failure.
    var failureClass: String?
    var layer: String?
    var message: String
    /// The end of the log.
    var tail: String
    /// The published image.
    var reference: String?
    var time: Timestamp
}

/// How an image was seen to be, by a record or by a definition that cannot be used.
struct Observation: Sendable {
    /// What matters of an image's state.
    enum State: String, Codable, Hashable, Sendable {
        case good
        case failed
        case invalid
        /// There is no definition any more.
        case gone
    }

    var state: State
    var image: String
    /// The record's id, else what stands for it.
    var id: String
    /// When the record's build began; nil where there is no record.
    var start: Timestamp?
    var commit: String?
    var failureClass: String?
    var layer: String?
    var message = ""
    var tail = ""
    var reference: String?

    /// What a record says; nil where it says nothing about whether the image is good.
    init?(_ record: BuildRecord) {
        switch record.status {
        case .built, .adopted: state = .good
        case .error:
            guard record.error?.failureClass != .cancelled else { return nil }
            state = .failed
        case .invalid: state = .invalid
        case .retired: state = .gone
        case .pending, .building, .stopping, .blocked, .suspended: return nil
        }
        image = record.image.value
        id = record.id
        start = record.start
        commit = record.commit.hex
        reference = record.reference.map { Self.line($0) }
        guard let error = record.error else { return }
        failureClass = error.failureClass.rawValue
        layer = error.layer?.rawValue
        message = Self.line(error.message)
        tail = redacted(error.tail).split(separator: "\n").suffix(20).map { singleLine($0, limit: 200) }
            .joined(separator: "\n")
    }

    /// What a definition that cannot be used says.
    init(_ definition: InvalidDefinition, commit: ObjectID?) {
        state = .invalid
        image = definition.name
        id = definition.tree.hex
        self.commit = commit?.hex
        failureClass = BuildFailure.Class.definition.rawValue
        message = Self.line(definition.diagnostics.map(\.description).joined(separator: "; "))
    }

    private static func line(_ text: String) -> String { singleLine(redacted(text), limit: 500) }
}

/// What was last seen of each image; finds what is worth telling.
struct KnownStates: Codable, Hashable, Sendable {
    /// What was last seen of one image.
    struct Known: Codable, Hashable, Sendable {
        var state: Observation.State
        /// The record that said so.
        var id: String
        var start: Timestamp?
        var commit: String?
    }

    private(set) var images: [String: Known] = [:]

    /// Takes an observation; tells the change that it is, where it is one.
    mutating func take(_ seen: Observation) -> (event: NotificationSettings.Event, isRepeated: Bool)? {
        let before = images[seen.image]
        if let before {
            guard before.id != seen.id else { return nil }
            // An older record, read from the notes, says nothing about now.
            if let start = seen.start, let last = before.start, (start, seen.id) < (last, before.id) { return nil }
        }
        images[seen.image] =
            seen.state == .gone
            ? nil
            : Known(state: seen.state, id: seen.id, start: seen.start ?? before?.start, commit: seen.commit)
        switch (before?.state, seen.state) {
        case (.failed, .good), (.invalid, .good): return (.recovered, false)
        case (.failed, .failed): return before?.commit == seen.commit ? nil : (.failed, true)
        case (.invalid, .invalid): return before?.commit == seen.commit ? nil : (.invalid, true)
        case (_, .failed): return (.failed, false)
        case (_, .invalid): return (.invalid, false)
        default: return nil
        }
    }
}
