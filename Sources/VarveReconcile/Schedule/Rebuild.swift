// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A person's wish to have an image built although it is as defined.
public struct Rebuild: Codable, Hashable, Sendable {
    /// The lowest layer to execute although it is there, and with it those above; nil executes none that is there.
    public var from: LayerKind?

    /// Who asked for it, where that is known; the record of the build names them.
    public var user: String?

    /// A wish.
    public init(from: LayerKind? = nil, by user: String? = nil) {
        self.from = from
        self.user = user
    }
}
