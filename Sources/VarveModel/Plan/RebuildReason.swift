// SPDX-License-Identifier: Apache-2.0

/// Why an image is built.
///
/// Each carries the old and the new.
///
/// A commit by itself is never a reason. All reasons of an image are collected and kept with its record.
public enum RebuildReason: Hashable, Sendable {
    /// No record of a good build exists.
    case neverBuilt
    /// The content of a layer changed: the lines of its summary that went and came.
    case contentChanged(layer: LayerKind, removed: [String], added: [String])
    /// The base was replaced: the reference stayed and its content moved, or the definition names another base.
    case baseChanged(old: String, new: String)
    /// varve builds this kind of layer in another way than before.
    case recipeChanged(layer: LayerKind, old: Int, new: Int)
    /// The last attempt failed and the definition is still the same.
    case lastBuildFailed(message: String)
    /// `verify` changed: nothing is rebuilt, the check runs again.
    case verifyChanged
    /// A published digest is no longer in the registry.
    case artefactMissing(reference: String)
    /// The place where the image is published, or the further tags, changed.
    case publicationChanged(old: String, new: String)
    /// A person asked for it.
    case forced
}

extension RebuildReason {
    /// The stable word for this kind of reason in JSON.
    public var kind: String {
        switch self {
        case .neverBuilt: "never-built"
        case .contentChanged: "content-changed"
        case .baseChanged: "base-changed"
        case .recipeChanged: "recipe-changed"
        case .lastBuildFailed: "last-build-failed"
        case .verifyChanged: "verify-changed"
        case .artefactMissing: "artefact-missing"
        case .publicationChanged: "publication-changed"
        case .forced: "forced"
        }
    }

    /// The layer that the reason concerns, where it concerns one.
    public var layer: LayerKind? {
        switch self {
        case .contentChanged(let layer, _, _), .recipeChanged(let layer, _, _): layer
        case .baseChanged: .base
        default: nil
        }
    }

    /// What was, a line each.
    public var old: [String] {
        switch self {
        case .contentChanged(_, let removed, _): removed
        case .baseChanged(let old, _), .publicationChanged(let old, _): [old]
        case .recipeChanged(_, let old, _): [String(old)]
        case .lastBuildFailed(let message): [message]
        case .artefactMissing(let reference): [reference]
        case .neverBuilt, .verifyChanged, .forced: []
        }
    }

    /// What is now, a line each.
    public var new: [String] {
        switch self {
        case .contentChanged(_, _, let added): added
        case .baseChanged(_, let new), .publicationChanged(_, let new): [new]
        case .recipeChanged(_, _, let new): [String(new)]
        case .neverBuilt, .lastBuildFailed, .verifyChanged, .artefactMissing, .forced: []
        }
    }
}

extension RebuildReason: CustomStringConvertible {
    /// One line for people: `pip +polars>=1 -polars>=0.20`.
    public var description: String {
        switch self {
        case .neverBuilt: return "never built"
        case .contentChanged(let layer, let removed, let added):
            let changes = added.map { "+" + $0 } + removed.map { "-" + $0 }
            return ([layer.rawValue] + (changes.isEmpty ? ["changed"] : changes)).joined(separator: " ")
        case .baseChanged(let old, let new): return "base \(old) -> \(new)"
        case .recipeChanged(let layer, let old, let new): return "\(layer.rawValue) recipe \(old) -> \(new)"
        case .lastBuildFailed(let message): return "last build failed: \(message)"
        case .verifyChanged: return "verify changed"
        case .artefactMissing(let reference): return "\(reference) is missing"
        case .publicationChanged(let old, let new): return "published \(old) -> \(new)"
        case .forced: return "asked for"
        }
    }
}

extension RebuildReason: Codable {
    private enum Key: String, CodingKey { case kind, layer, old, new }

    /// Encodes `{"kind", "layer", "old", "new"}`; absent parts are left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(kind, forKey: .kind)
        try container.encodeIfPresent(layer, forKey: .layer)
        if !old.isEmpty { try container.encode(old, forKey: .old) }
        if !new.isEmpty { try container.encode(new, forKey: .new) }
    }

    /// Decodes what `encode(to:)` writes.
    ///
    /// - Throws: `DecodingError` for a kind that this version does not know.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let kind = try container.decode(String.self, forKey: .kind)
        let layer = try container.decodeIfPresent(LayerKind.self, forKey: .layer)
        let old = try container.decodeIfPresent([String].self, forKey: .old) ?? []
        let new = try container.decodeIfPresent([String].self, forKey: .new) ?? []
        switch (kind, layer) {
        case ("never-built", _): self = .neverBuilt
        case ("content-changed", .some(let layer)): self = .contentChanged(layer: layer, removed: old, added: new)
        case ("base-changed", _): self = .baseChanged(old: old.first ?? "", new: new.first ?? "")
        case ("recipe-changed", .some(let layer)):
            self = .recipeChanged(
                layer: layer, old: Int(old.first ?? "") ?? 0, new: Int(new.first ?? "") ?? 0)
        case ("last-build-failed", _): self = .lastBuildFailed(message: old.first ?? "")
        case ("verify-changed", _): self = .verifyChanged
        case ("artefact-missing", _): self = .artefactMissing(reference: old.first ?? "")
        case ("publication-changed", _): self = .publicationChanged(old: old.first ?? "", new: new.first ?? "")
        case ("forced", _): self = .forced
        default:
            throw DecodingError.dataCorruptedError(forKey: .kind, in: container, debugDescription: "unknown reason")
        }
    }
}
