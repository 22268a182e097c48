// SPDX-License-Identifier: Apache-2.0

/// What a token lets its user do.
public enum Scope: String, Codable, CaseIterable, Hashable, Sendable {
    /// See images, builds, logs, plans and the queue.
    case read
    /// Rebuild, stop, suspend, resume and reconcile.
    case act
}

/// Who asks: the user of a token.
public struct Principal: Hashable, Sendable {
    /// The user's name, as owners of images name it.
    public var user: String
    /// The name for people.
    public var name: String
    /// The address.
    public var email: String?
    /// The groups; they limit nothing yet.
    public var groups: [String]
    /// What the user may do.
    public var scopes: Set<Scope>

    /// A user with the given rights.
    public init(user: String, name: String, email: String?, groups: [String], scopes: Set<Scope>) {
        self.user = user
        self.name = name
        self.email = email
        self.groups = groups
        self.scopes = scopes
    }
}
