// SPDX-License-Identifier: Apache-2.0

/// The one lease of a repository: who may build, publish and record.
///
/// It is only ever replaced by compare-and-swap. It carries no time: clocks of different machines are never compared.
public struct Lease: Codable, Hashable, Sendable {
    /// Grows with every change of holder.
    public var counter: Int
    /// The holder's name, for people.
    public var holder: String
    /// Tells holders apart: one state directory on one running machine.
    public var identity: String
    /// How long somebody else must see this very value before taking it, in seconds.
    public var length: Double
    /// New with every write, so that the holder knows its own writing again when the answer to it was lost.
    public var token: String
    /// Whether the holder has given it up: it may be taken at once.
    public var isReleased: Bool

    private enum CodingKeys: String, CodingKey {
        case counter, holder, identity, length, token
        case isReleased = "released"
    }

    /// A lease to be written.
    public init(
        counter: Int, holder: String, identity: String, length: Double, token: String, isReleased: Bool = false
    ) {
        self.counter = counter
        self.holder = holder
        self.identity = identity
        self.length = length
        self.token = token
        self.isReleased = isReleased
    }
}

/// A lease as it was read.
public struct LeaseValue: Hashable, Sendable {
    /// What the value is compared by; no two writes give the same.
    public var id: String
    /// What it says; nil where it says nothing that this version understands.
    public var lease: Lease?

    /// A value of the store.
    public init(id: String, lease: Lease?) {
        self.id = id
        self.lease = lease
    }
}

/// Where the lease of a repository is kept.
public protocol LeaseStore: Sendable {
    /// The value that is there now; nil where there has never been one.
    ///
    /// - Throws: when the store cannot be reached.
    func read() async throws -> LeaseValue?

    /// Puts a lease in the place of a value that was read, or where there was none.
    ///
    /// - Returns: The id of the new value; nil where another value stands there, and nothing was changed.
    /// - Throws: when the store cannot be reached or refuses; the lease may then have been written or not.
    func replace(_ expected: String?, with lease: Lease) async throws -> String?
}
