// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Collects every reason why an image is not as its definition says, with the old and the new.
struct Reasons {
    let plan: ImagePlan
    let descriptions: [LayerKey: LayerDescription]
    let location: String

    /// All reasons, in the order of the layers; empty when the image is as it should be.
    var all: [RebuildReason] {
        guard let last = plan.lastGood else { return [.neverBuilt] + failure }
        let old = Dictionary(last.layers.map { ($0.kind, $0.key) }) { first, _ in first }
        let changed = old[.config] == plan.key ? [] : layerChanges(since: last, old: old)
        return changed + publicationChanges(since: last) + failure
    }

    private func layerChanges(since last: BuildRecord, old: [LayerKind: LayerKey]) -> [RebuildReason] {
        let new = Dictionary(plan.layers.compactMap { layer in layer.content.map { (layer.kind, $0) } }) { first, _ in
            first
        }
        var reasons: [RebuildReason] = []
        // Whether the layer below has the same key: then a changed key can only come from the layer itself.
        var parentIsSame = true
        for kind in LayerKind.allCases {
            let newKey = plan.layers.first { $0.kind == kind }?.key
            defer { if old[kind] != newKey { parentIsSame = false } }
            guard old[kind] != newKey else { continue }
            if kind == .base, let change = baseChange(since: last, new: new[.base]) {
                reasons.append(change)
                continue
            }
            let before = old[kind].flatMap { descriptions[$0] }
            let count = reasons.count
            if let before, new[kind] != nil, before.recipe != Recipe.version(of: kind) {
                reasons.append(.recipeChanged(layer: kind, old: before.recipe, new: Recipe.version(of: kind)))
            }
            let lines = new[kind]?.lines ?? []
            if before != nil || old[kind] == nil {
                let difference = lines.difference(from: before?.lines ?? [])
                if !difference.isEmpty || (old[kind] == nil) != (new[kind] == nil) {
                    reasons.append(
                        .contentChanged(
                            layer: kind, removed: difference.removals.map(\.line),
                            added: difference.insertions.map(\.line)))
                }
            } else if new[kind] == nil {
                reasons.append(.contentChanged(layer: kind, removed: [], added: []))
            }
            // The layer itself accounts for its key, though the words for it are lost or are the same.
            if parentIsSame, reasons.count == count {
                reasons.append(.contentChanged(layer: kind, removed: [], added: []))
            }
        }
        return reasons
    }

    private func baseChange(since last: BuildRecord, new: LayerContent?) -> RebuildReason? {
        guard case .base(let content) = new else { return nil }
        let platform = plan.definition.platforms.first
        let isOtherPlatform = last.platform != nil && last.platform != platform
        if case .bootstrap = content, !isOtherPlatform, last.base?.configDigest == nil,
            last.base?.reference == plan.base?.reference
        {
            return nil
        }
        let old = last.base.map { $0.summary(isOtherPlatform ? last.platform : nil) } ?? "unknown"
        let new = plan.base.map { $0.summary(isOtherPlatform ? platform : nil) } ?? "unknown"
        return old == new ? nil : .baseChanged(old: old, new: new)
    }

    private func publicationChanges(since last: BuildRecord) -> [RebuildReason] {
        var reasons: [RebuildReason] = []
        if last.verify != plan.definition.verify?.digest, plan.definition.verify != nil {
            reasons.append(.verifyChanged)
        }
        let published = last.location ?? "nowhere"
        if published != location {
            reasons.append(.publicationChanged(old: published, new: location))
        } else if case .external(let reference) = plan.definition.base {
            // The same content under another reference: the record is what `status` finds it by.
            let old = last.base?.reference ?? published
            if old != reference.description {
                reasons.append(.publicationChanged(old: old, new: reference.description))
            }
        } else {
            let absent = plan.definition.tags.filter { !last.tags.contains($0) }
            if !absent.isEmpty {
                reasons.append(
                    .publicationChanged(
                        old: last.tags.joined(separator: " "), new: (last.tags + absent).joined(separator: " ")))
            }
        }
        return reasons
    }

    /// The newest attempt failed on just these layers: it is worth saying, and it keeps the image unsettled.
    private var failure: [RebuildReason] {
        guard let latest = plan.latest, latest.status == .error, let error = latest.error else { return [] }
        let keys = Set(plan.layers.compactMap(\.key))
        let isSame = latest.layers.allSatisfy { keys.contains($0.key) }
        return isSame && latest.verifyIsStill(plan.definition) ? [.lastBuildFailed(message: error.message)] : []
    }
}

extension CollectionDifference<String>.Change {
    /// The line that went or came.
    fileprivate var line: String {
        switch self {
        case .insert(_, let element, _), .remove(_, let element, _): element
        }
    }
}

extension BaseRecord {
    /// The reference, the first digits of the config digest and, where it counts, the platform.
    fileprivate func summary(_ platform: Platform?) -> String {
        reference + (configDigest.map { "@" + $0.hex.prefix(12) } ?? "") + (platform.map { " \($0)" } ?? "")
    }
}

extension BuildRecord {
    /// Whether the script that the failed attempt would have run is still the definition's.
    fileprivate func verifyIsStill(_ definition: ImageDefinition) -> Bool {
        verify == nil || verify == definition.verify?.digest
    }
}
