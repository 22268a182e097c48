// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What Git could not do.
///
/// Two errors are equal when code and subject are; the cause is for people.
/// Addresses lose their credentials when the error is made, so that it can be shown and recorded as it is.
public struct GitError: Error, Sendable {
    /// What kind of failure it is.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        /// There is no such repository, reference, object or remote.
        case notFound
        /// The repository belongs to another user; Git refuses it until `safe.directory` names it.
        case notOwned
        /// The repository is of a kind that libgit2 cannot read: SHA-256, a newer format, a shallow clone.
        case unsupported
        /// An object is not what it should be.
        case corrupt
        /// The remote did not answer, or the connection broke.
        case unreachable
        /// The remote wants other credentials.
        case unauthorized
        /// The server's host key or certificate is not known, or has changed.
        case untrustedHost
        /// The remote answered and does not want the change: a hook, a protected ref, a missing right.
        case refused
        /// Other writers moved the references each time, until no attempt was left.
        case contended
        /// The disk or the file system refused.
        case fileSystem
        /// The task was cancelled.
        case cancelled
        /// A setting, a path or a name is not well formed.
        case invalid
        /// libgit2 reported something that has no code of its own.
        case unknown
    }

    /// What kind of failure it is.
    public let code: Code
    /// What was being done: `fetch remote 'https://example.com/images.git'`.
    public let subject: String
    /// Why it failed and, where there is something to do about it, what.
    public let cause: String

    /// A failure; control characters and credentials are taken out of subject and cause.
    public init(_ code: Code, _ subject: String, _ cause: String) {
        self.code = code
        self.subject = singleLine(redacted(subject), limit: 1_000)
        self.cause = singleLine(redacted(cause), limit: 2_000)
    }
}

extension GitError: Hashable {
    /// Compares code and subject.
    public static func == (left: GitError, right: GitError) -> Bool {
        left.code == right.code && left.subject == right.subject
    }

    /// Hashes code and subject.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(subject)
    }
}

extension GitError: CustomStringConvertible {
    /// `failed to <verb> <object> '<value>': <cause>`.
    public var description: String { "failed to \(subject): \(cause)" }
}
