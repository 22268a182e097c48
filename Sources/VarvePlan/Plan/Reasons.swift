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
        var changed: [RebuildReason] = []
        for part in plan.platforms {
            guard let layers = layers(of: last, for: part.platform) else { continue }
            // One edit changes every platform alike, and is said once.
            for reason in layerChanges(of: part, since: last, layers: layers) where !changed.contains(reason) {
                changed.append(reason)
            }
        }
        changed += publicationChanges(since: last)
        // That a rebuild was stopped leaves an image that is as defined as it is.
        if changed.isEmpty, plan.latest?.error?.failureClass == .cancelled { return [] }
        return changed + failure
    }

    /// The layers that a platform's are compared with; nil where it was not built before.
    ///
    /// One platform that was put in another's place is compared with that.
    private func layers(of last: BuildRecord, for platform: Platform) -> [LayerRecord]? {
        let built = last.builtPlatforms
        if built.isEmpty || built.contains(platform) { return last.layers(for: platform) }
        return built.count == 1 && plan.others.isEmpty ? last.layers : nil
    }

    private func layerChanges(
        of part: PlatformPlan, since record: BuildRecord, layers: [LayerRecord]
    ) -> [RebuildReason] {
        let old = Dictionary(layers.map { ($0.kind, $0.key) }) { first, _ in first }
        let last = part.layers.last?.kind ?? .config
        guard old[last] != part.key else { return [] }
        // A record of very many platforms keeps no more than their last layers.
        guard old[.base] != nil else { return [.contentChanged(layer: last, removed: [], added: [])] }
        let new = Dictionary(part.layers.compactMap { layer in layer.content.map { (layer.kind, $0) } }) { first, _ in
            first
        }
        var reasons: [RebuildReason] = []
        // Whether the layer below has the same key: then a changed key can only come from the layer itself.
        var parentIsSame = true
        for kind in LayerKind.allCases {
            let newKey = part.layers.first { $0.kind == kind }?.key
            defer { if old[kind] != newKey { parentIsSame = false } }
            guard old[kind] != newKey else { continue }
            if kind == .base, let change = baseChange(of: part, since: record, new: new[.base]) {
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

    private func baseChange(
        of part: PlatformPlan, since last: BuildRecord, new: LayerContent?
    ) -> RebuildReason? {
        guard case .base(let content) = new else { return nil }
        let platform = part.platform
        let isOtherPlatform = !last.builtPlatforms.isEmpty && !last.builtPlatforms.contains(platform)
        let lastBase = last.base(for: platform)
        if case .bootstrap = content, !isOtherPlatform, lastBase?.configDigest == nil,
            lastBase?.reference == part.base?.reference
        {
            return nil
        }
        let old = lastBase.map { $0.summary(isOtherPlatform ? last.platform : nil) } ?? "unknown"
        let new = part.base.map { $0.summary(isOtherPlatform ? platform : nil) } ?? "unknown"
        return old == new ? nil : .baseChanged(old: old, new: new)
    }

    private func publicationChanges(since last: BuildRecord) -> [RebuildReason] {
        var reasons: [RebuildReason] = []
        if last.verify != plan.definition.verify?.digest, plan.definition.verify != nil {
            reasons.append(.verifyChanged)
        }
        let platforms = Set(last.builtPlatforms)
        if !platforms.isEmpty, platforms != Set(plan.definition.platforms), platforms.count > 1 || !plan.others.isEmpty
        {
            let (old, new) = (platforms.sorted(), plan.definition.platforms)
            reasons.append(
                .publicationChanged(
                    old: old.map(\.description).joined(separator: " "),
                    new: new.map(\.description).joined(separator: " ")))
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
        let keys = Set(plan.platforms.flatMap(\.layers).compactMap(\.key))
        // A failing layer fails whatever stands above it; who stopped a build may wait for a change of any part.
        let isSame =
            latest.layers.allSatisfy { keys.contains($0.key) }
            && (error.failureClass != .cancelled || latest.tree == plan.definition.tree)
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
