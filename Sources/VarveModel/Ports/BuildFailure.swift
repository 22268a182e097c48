// SPDX-License-Identifier: Apache-2.0

/// Why an engine or a registry could not do what it was asked.
public struct BuildFailure: Error, Hashable, Sendable {
    /// What kind of failure it is; the loop decides from this alone whether and when to try again.
    public enum Class: String, Codable, CaseIterable, Hashable, Sendable {
        /// The definition is at fault: the same input will fail again.
        case definition
        /// The network, a mirror or a registry: trying again may help.
        case transient
        /// The registry refused the credentials or the right.
        case unauthorized
        /// The disk is full.
        case diskFull = "disk-full"
        /// The step ran into its deadline.
        case timedOut = "timed-out"
        /// The step was killed, most likely for lack of memory (exit status 137).
        case outOfMemory = "out-of-memory"
        /// A person or a shutdown ended it.
        case cancelled
        /// The machine lacks a tool or a right that varve needs.
        case environment
        /// None of the above is known.
        case unknown
    }

    /// The class.
    public var failureClass: Class
    /// The layer that was being built, where one was.
    public var layer: LayerKind?
    /// What happened: `failed to <verb> <object> '<value>': <cause>`; one line, lower case, no credentials.
    public var message: String
    /// The end of the step's output, redacted; empty where there is none.
    public var tail: String

    /// A failure; message and tail must already be free of credentials.
    public init(_ failureClass: Class, layer: LayerKind? = nil, message: String, tail: String = "") {
        self.failureClass = failureClass
        self.layer = layer
        self.message = singleLine(message, limit: 1_000)
        self.tail = tail
    }
}

extension BuildFailure: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
