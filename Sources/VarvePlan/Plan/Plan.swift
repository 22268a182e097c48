// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// What should be done to make the registry equal to one commit's definitions, and why.
public struct Plan: Sendable {
    /// A plan for each image, each after the image it stands on.
    public var images: [ImagePlan]
    /// Folders whose definition cannot be used.
    public var invalid: [InvalidDefinition]
    /// Images that have records and no definition any more; their last record.
    public var retired: [BuildRecord]

    /// Whether every image is as its definition says, and no definition is broken.
    public var isSettled: Bool { invalid.isEmpty && images.allSatisfy { $0.action == .none } }

    /// Keys of earlier layers whose descriptions would let the reasons name what changed.
    public var keysToDescribe: [LayerKey] {
        let unsettled = images.filter { $0.action == .build || $0.action == .wait }
        return Set(unsettled.flatMap { $0.lastGood?.layers.map(\.key) ?? [] }).sorted()
    }
}

/// What should be done for one image, and why.
public struct ImagePlan: Sendable {
    /// What a pass does about an image.
    public enum Action: String, Codable, Hashable, Sendable {
        /// Nothing: it is as the definition says, or suspended.
        case none
        /// Build what is missing, verify, publish.
        case build
        /// The base is to be built first.
        case wait
        /// The base is broken or cannot be found.
        case blocked
    }

    /// The definition.
    public var definition: ImageDefinition
    /// What to do.
    public var action: Action
    /// The image's state as it would be shown now.
    public var status: ImageStatus
    /// Why it is to be built; empty unless the action is `build`.
    public var reasons: [RebuildReason]
    /// The layers in order; of an image that waits or is blocked, with what is known of them.
    public var layers: [LayerPlan]
    /// What the image waits for or what blocks it.
    public var cause: String?
    /// The base as it was resolved, where it was.
    public var base: BaseRecord?
    /// The image to pull for the base; nil for a bootstrap.
    public var baseImage: ResolvedImage?
    /// The images that a Containerfile names, as they were resolved.
    public var contextImages: [ImageReference: ResolvedImage] = [:]
    /// The newest record of the image.
    public var latest: BuildRecord?
    /// The newest record of a good build.
    public var lastGood: BuildRecord?

    /// The key of the finished image; nil while the base is unknown.
    public var key: LayerKey? { layers.last?.key }

    /// What is built for the definition's other platforms; all of the above is for the first.
    public var others: [PlatformPlan] = []

    /// What is built for each platform, the first one's first.
    public var platforms: [PlatformPlan] {
        let first = definition.platforms.first.map { platform in
            PlatformPlan(
                platform: platform, layers: layers, base: base, baseImage: baseImage, contextImages: contextImages)
        }
        return (first.map { [$0] } ?? []) + others
    }

    /// Whether every platform's image has a key.
    public var isKeyed: Bool { key != nil && others.allSatisfy { $0.key != nil } }
}

/// What is built for one platform of an image.
public struct PlatformPlan: Sendable {
    /// The platform.
    public var platform: Platform
    /// The layers, the lowest first.
    public var layers: [LayerPlan]
    /// What it stands on, for the record.
    public var base: BaseRecord?
    /// The image that it stands on, where it is one.
    public var baseImage: ResolvedImage?
    /// The images that a Containerfile names.
    public var contextImages: [ImageReference: ResolvedImage] = [:]

    /// The key of the last layer; nil while the base is not known.
    public var key: LayerKey? { layers.last?.key }
}

/// One layer of an image in a plan.
public struct LayerPlan: Hashable, Sendable {
    /// What a pass does about a layer.
    public enum Action: String, Codable, Hashable, Sendable {
        /// A record says that a layer of this key exists.
        case reuse
        /// No record knows this key.
        case build
        /// The key is not known yet.
        case wait
    }

    /// The kind.
    public var kind: LayerKind
    /// The key; nil while the base is unknown.
    public var key: LayerKey?
    /// The content; nil for a base that is unknown.
    public var content: LayerContent?
    /// What to do.
    public var action: Action
}
