// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Decides what is removed of caches: pure, so that every rule can be tested by itself.
struct Collection {
    /// While something is built, a compressed layer that was used within this time is left: it may be just about to be sent.
    static let grace = 3_600

    /// All that there is.
    let items: [CacheItem]
    /// The layers of what is defined, and of what is published.
    let needed: Set<LayerKey>
    /// The layers of what is being built.
    let inUse: Set<LayerKey>
    /// Whether nothing is being built, and nothing can begin.
    let isQuiet: Bool
    /// The moment.
    let now: Timestamp

    /// How many items hold each piece.
    private let holders: [String: Int]
    private let sizes: [String: Int]

    init(items: [CacheItem], needed: Set<LayerKey>, inUse: Set<LayerKey>, isQuiet: Bool, now: Timestamp) {
        self.items = items
        self.needed = needed
        self.inUse = inUse
        self.isQuiet = isQuiet
        self.now = now
        var holders: [String: Int] = [:]
        var sizes: [String: Int] = [:]
        for item in items where Self.budgeted.contains(item.kind) {
            for (piece, bytes) in item.pieces {
                holders[piece, default: 0] += 1
                sizes[piece] = bytes
            }
        }
        (self.holders, self.sizes) = (holders, sizes)
    }

    /// The kinds that count against the budget.
    static let budgeted: Set<CacheItem.Kind> = [.layer, .compressed, .stepCache]

    /// The bytes that count against the budget.
    var bytes: Int { sizes.values.reduce(0, +) }

    /// What goes whatever the budget is.
    var leftovers: [CacheItem] { items.filter { $0.kind == .leftover && (isQuiet || !$0.needsQuiet) } }

    /// What goes until so many bytes are free, oldest use first; all that can go where that is less.
    ///
    /// An image goes before what it stands on, which would free nothing; it counts as used when what stands on it was.
    func victims(toFree goal: Int) -> [CacheItem] {
        guard goal > 0 else { return [] }
        let order = candidates.sorted { left, right in
            if left.use != right.use { return left.use < right.use }
            if left.item.pieces.count != right.item.pieces.count {
                return left.item.pieces.count > right.item.pieces.count
            }
            return left.item.name < right.item.name
        }
        var holders = holders
        var freed = 0
        var result: [CacheItem] = []
        for (item, _) in order {
            if freed >= goal { break }
            result.append(item)
            for (piece, bytes) in item.pieces {
                holders[piece, default: 1] -= 1
                if holders[piece] == 0 { freed += bytes }
            }
        }
        return result
    }

    /// What can go, with the last use of it or of anything that stands on it.
    private var candidates: [(item: CacheItem, use: Timestamp)] {
        var uses: [String: Timestamp] = [:]
        var held: Set<String> = []
        for item in items where item.kind == .layer {
            let stays = !canGo(item)
            for piece in item.pieces.keys {
                uses[piece] = max(uses[piece] ?? item.lastUse, item.lastUse)
                if stays { held.insert(piece) }
            }
        }
        return items.compactMap { item in
            guard Self.budgeted.contains(item.kind), canGo(item) else { return nil }
            guard item.kind == .layer, let top = item.topPiece else { return (item, item.lastUse) }
            return held.contains(top) ? nil : (item, uses[top] ?? item.lastUse)
        }
    }

    private func canGo(_ item: CacheItem) -> Bool {
        guard item.keys.isDisjoint(with: needed), item.keys.isDisjoint(with: inUse) else { return false }
        if isQuiet { return true }
        // What is being built names its layers, and nothing else.
        return !item.needsQuiet && (item.kind == .layer || item.lastUse.seconds < now.seconds - Self.grace)
    }
}
