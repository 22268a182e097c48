// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveTestSupport

/// A tree that is asked for nothing outside of it.
struct GuardedTree: SourceTree {
    var tree: MemorySourceTree
    /// Where the link leads; in no grammar, so that no definition holds it but by following the link.
    static let target = "../../the-target-of-the-link"

    func entries(in folder: RepositoryPath) throws -> [SourceEntry] { try tree.entries(in: folder) }

    func entry(at path: RepositoryPath) throws -> SourceEntry? {
        if path.components.contains("..") || path.components.contains("") {
            throw SourceError.unreadable(path: path.description, reason: "it leads out of the tree")
        }
        return try tree.entry(at: path)
    }

    func read(_ id: ObjectID, limit: Int) throws -> [UInt8] { try tree.read(id, limit: limit) }
}

/// A small deterministic generator (SplitMix64).
struct FuzzRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
