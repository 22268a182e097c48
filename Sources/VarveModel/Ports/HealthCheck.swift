// SPDX-License-Identifier: Apache-2.0

/// One thing that was looked at to see whether varve can work, and how to mend it where it cannot.
public struct HealthCheck: Codable, Hashable, Sendable {
    /// How it stands.
    public enum Outcome: String, Codable, Hashable, Sendable {
        /// As it should be.
        case ok
        /// varve works, but something should be looked at.
        case warning
        /// varve cannot work.
        case failed
    }

    /// What was looked at: `tool buildah`, `push refs/varve/*`.
    public var name: String
    /// How it stands.
    public var outcome: Outcome
    /// What was found; one line, without credentials.
    public var detail: String
    /// What to do about it; nil where there is nothing to do.
    public var remedy: String?

    /// A finding; its texts are made safe for one line.
    public init(_ name: String, _ outcome: Outcome, _ detail: String, remedy: String? = nil) {
        self.name = singleLine(name, limit: 200)
        self.outcome = outcome
        self.detail = singleLine(redacted(detail), limit: 1_000)
        self.remedy = remedy.map { singleLine(redacted($0), limit: 1_000) }
    }
}
