// SPDX-License-Identifier: Apache-2.0

/// A pass that cannot go on, as opposed to an image that cannot be built.
public struct ReconcileError: Error, Sendable {
    /// What went wrong.
    public enum Code: String, Hashable, Sendable {
        /// A file of the state directory cannot be read or written.
        case stateDirectory
        /// Another process uses the state directory.
        case locked
        /// The repository has no image of this name.
        case unknownImage
    }

    /// What went wrong.
    public var code: Code
    /// The file, folder or image concerned.
    public var subject: String
    /// The cause in words.
    public var cause: String

    /// An error with its subject and cause.
    public init(_ code: Code, subject: String, cause: String) {
        self.code = code
        self.subject = subject
        self.cause = cause
    }
}

extension ReconcileError: Equatable {
    /// Compares code and subject; the cause is wording.
    public static func == (left: ReconcileError, right: ReconcileError) -> Bool {
        left.code == right.code && left.subject == right.subject
    }
}

extension ReconcileError: CustomStringConvertible {
    /// What could not be done, to what, and why.
    public var description: String {
        switch code {
        case .stateDirectory: "failed to use state file '\(subject)': \(cause)"
        case .locked: "failed to lock state directory '\(subject)': \(cause)"
        case .unknownImage: "failed to find image '\(subject)': \(cause)"
        }
    }
}
