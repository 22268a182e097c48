// SPDX-License-Identifier: Apache-2.0

/// What is kept on disk to spare work, and can be removed: correctness never depends on any of it.
public protocol CacheStore: Sendable {
    /// All that it holds.
    ///
    /// - Throws: `BuildFailure` when it cannot be read.
    func items() async throws -> [CacheItem]

    /// Removes items, in the order given.
    ///
    /// One that something uses is left, as is one that has got another name meanwhile.
    ///
    /// - Throws: `BuildFailure` when nothing can be removed at all.
    func remove(_ items: [CacheItem]) async throws

    /// Removes what a crash left behind; to be called while nothing is being built, and nothing can begin.
    ///
    /// - Throws: `BuildFailure` when it cannot be removed.
    func removeLeftovers() async throws
}

/// One thing that can be removed by itself.
public struct CacheItem: Hashable, Sendable {
    /// What it is.
    public enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        /// An image of the engine's store, found by the keys of the layers that it ends in.
        case layer
        /// The compressed form of a layer, for publishing.
        case compressed
        /// What steps keep for later steps: archives of packages, wheels.
        case stepCache = "step-cache"
        /// A half-made file or folder that nobody is working on.
        case leftover
        /// The log of a build.
        case log
    }

    /// What it is.
    public var kind: Kind
    /// Its name, unique among its kind.
    public var name: String
    /// The keys under which a layer is found; none for everything else.
    public var keys: Set<LayerKey>
    /// The pieces that it holds on disk, with their bytes; a piece goes with the last item that holds it.
    public var pieces: [String: Int]
    /// The piece that makes it what it is: who holds that too stands on it.
    public var topPiece: String?
    /// When it was last used.
    public var lastUse: Timestamp
    /// Whether it can be removed only while nothing is being built.
    public var needsQuiet: Bool

    /// An item.
    public init(
        _ kind: Kind, name: String, keys: Set<LayerKey> = [], pieces: [String: Int], topPiece: String? = nil,
        lastUse: Timestamp, needsQuiet: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.keys = keys
        self.pieces = pieces
        self.topPiece = topPiece
        self.lastUse = lastUse
        self.needsQuiet = needsQuiet
    }

    /// The bytes of all its pieces.
    public var bytes: Int { pieces.values.reduce(0, +) }
}
