// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// What a collection found and removed, or would remove.
public struct CollectionReport: Hashable, Sendable {
    /// One kind of thing.
    public struct Line: Hashable, Sendable, Encodable {
        /// What it is.
        public var kind: CacheItem.Kind
        /// How many there were.
        public var found = 0
        /// What they took, what several share counted once.
        public var bytes = 0
        /// How many were removed.
        public var removed = 0
        /// What that freed.
        public var freed = 0
    }

    /// One thing that was removed.
    public struct Removed: Hashable, Sendable, Encodable {
        /// What it is.
        public var kind: CacheItem.Kind
        /// Its name: an image id, a digest or a path.
        public var name: String
        /// The keys of the layers that were found there.
        public var keys: [LayerKey]
        /// When it was last used.
        public var lastUse: Timestamp
    }

    /// The bytes that are free at the end; with a dry run, now.
    public var free: Int
    /// The limits that were kept to.
    public var limits: DiskLimits
    /// Whether nothing was removed, only told.
    public var isDryRun: Bool
    /// A line a kind, in the order of the kinds.
    public private(set) var lines = CacheItem.Kind.allCases.map { Line(kind: $0) }
    /// What was removed, in order.
    public private(set) var removed: [Removed] = []

    init(free: Int, limits: DiskLimits, isDryRun: Bool) {
        self.free = free
        self.limits = limits
        self.isDryRun = isDryRun
    }

    mutating func note(_ items: [CacheItem]) {
        for index in lines.indices {
            let ofKind = items.filter { $0.kind == lines[index].kind }
            lines[index].found = ofKind.count
            lines[index].bytes = Self.bytes(ofKind)
        }
    }

    mutating func noteRemoved(_ items: [CacheItem], of collection: Collection) {
        let gone = Set(items)
        for index in lines.indices {
            let kind = lines[index].kind
            let ofKind = items.filter { $0.kind == kind }
            let rest = collection.items.filter { $0.kind == kind && !gone.contains($0) }
            lines[index].removed = ofKind.count
            lines[index].freed = Self.bytes(ofKind, notIn: Set(rest.flatMap(\.pieces.keys)))
        }
        removed = items.map {
            Removed(kind: $0.kind, name: $0.name, keys: $0.keys.sorted(), lastUse: $0.lastUse)
        }
    }

    private static func bytes(_ items: [CacheItem], notIn shared: Set<String> = []) -> Int {
        var pieces: [String: Int] = [:]
        for item in items { pieces.merge(item.pieces) { first, _ in first } }
        return pieces.reduce(0) { shared.contains($1.key) ? $0 : $0 + $1.value }
    }
}
