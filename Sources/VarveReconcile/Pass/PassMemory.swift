// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Remembers the last pass that left everything as defined, so that the next one can see at once that nothing moved.
actor PassMemory {
    /// What decides whether anything can have changed.
    struct Position: Hashable, Sendable {
        var commit: ObjectID?
        var suspended: Set<ImageName>
        /// The revision of the records.
        var records: String?
    }

    /// What bases were found to be at the last look outside.
    private(set) var bases: [PlatformReference: ResolvedImage] = [:]
    private var settled: (position: Position, result: PassResult)?

    func remember(_ result: PassResult, at position: Position) { settled = (position, result) }

    func remember(_ bases: [PlatformReference: ResolvedImage]) { self.bases = bases }

    /// The remembered result, where nothing has moved since.
    func result(of position: Position) -> PassResult? {
        guard let settled, settled.position == position else { return nil }
        return settled.result
    }
}
