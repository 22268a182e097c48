// SPDX-License-Identifier: Apache-2.0

/// The kinds of layer, in the order in which they are stacked.
public enum LayerKind: String, Codable, CaseIterable, Hashable, Sendable, Comparable {
    case base
    case apt
    case conda
    case pip
    case postBuild
    case config

    /// Orders by the place in the stack.
    public static func < (left: LayerKind, right: LayerKind) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}
