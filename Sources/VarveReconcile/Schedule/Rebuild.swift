// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A person's wish to have an image built although it is as defined.
public struct Rebuild: Hashable, Sendable {
    /// The lowest layer to execute although it is there, and with it those above; nil executes none that is there.
    public var from: LayerKind?

    /// A wish.
    public init(from: LayerKind? = nil) { self.from = from }
}
