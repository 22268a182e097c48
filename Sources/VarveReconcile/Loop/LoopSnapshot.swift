// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// How urgent a build is; a higher class goes before a lower one.
public enum BuildClass: String, Codable, CaseIterable, Hashable, Sendable, Comparable {
    /// A base moved, or what was published is gone: nobody waits.
    case base
    /// A commit changed the definition.
    case commit
    /// A person asked for it by name.
    case interactive

    private var rank: Int {
        switch self {
        case .base: 0
        case .commit: 1
        case .interactive: 2
        }
    }

    /// Compares the urgency.
    public static func < (left: BuildClass, right: BuildClass) -> Bool { left.rank < right.rank }
}

/// What one repository's loop is doing at a moment.
public struct LoopSnapshot: Codable, Hashable, Sendable {
    /// An image that waits for a builder.
    public struct Queued: Codable, Hashable, Sendable {
        /// The image.
        public var image: ImageName
        /// Whose it is: `all-users`, `user/NAME` or `group/NAME`.
        public var owner: String
        /// How urgent it is.
        public var urgency: BuildClass
        /// Since when it waits.
        public var since: Timestamp
    }

    /// An image that is being worked on.
    public struct Running: Codable, Hashable, Sendable {
        /// The image.
        public var image: ImageName
        /// The layer, `verify` or `publish`.
        public var step: String
        /// When the image's build began.
        public var start: Timestamp
        /// The log file on this machine.
        public var log: String
    }

    /// How a pass ended.
    public struct LastPass: Codable, Hashable, Sendable {
        /// When it ended.
        public var end: Timestamp
        /// How long it took.
        public var seconds: Double
        /// The commit; nil for a repository without one.
        public var commit: ObjectID?
        /// Why it could not be carried through; nil where it was.
        public var error: String?
        /// Records that could not be sent yet.
        public var unsent: Int
    }

    /// What waits for a builder, in no order.
    public var queued: [Queued] = []
    /// What is being built, by name.
    public var running: [Running] = []
    /// Images that an operator has suspended, by name.
    public var suspended: [ImageName] = []
    /// The last pass; nil before the first has ended.
    public var lastPass: LastPass?
    /// When bases were last looked up; nil before the first time.
    public var lastLookup: Timestamp?
}
