// SPDX-License-Identifier: Apache-2.0

public import VarveModel
public import VarvePlan

/// The images, what each stands on, and the distinct layers that they share: `GET /api/v1/graph`.
public struct GraphJSON: Encodable, Sendable {
    /// One image.
    public struct Image: Encodable, Sendable {
        /// The image.
        public let name: String
        /// The state.
        public let status: ImageStatus
        /// The image of this repository that it stands on.
        public let parent: ImageName?
        /// What it stands on otherwise: a reference, `bootstrap …` or `containerfile …`.
        public let base: String?
        /// The keys of its layers, the lowest first; those that are not known yet are left out.
        public let layers: [LayerKey]
    }

    /// One distinct layer.
    public struct Layer: Encodable, Sendable {
        /// The key.
        public let key: LayerKey
        /// The kind.
        public let kind: LayerKind
        /// The key of the layer below; nil for the lowest.
        public let parent: LayerKey?
        /// What a pass would do about it.
        public let action: LayerPlan.Action
        /// The images that have it, by name.
        public internal(set) var images: [String]
    }

    /// The commit; nil for a repository without one.
    public let commit: ObjectID?
    /// The images, each after the one that it stands on.
    public let images: [Image]
    /// The layers, in the order in which they would be built.
    public let layers: [Layer]

    /// The graph of a plan; an empty one for a repository without a commit.
    public init(commit: ObjectID?, plan: Plan?) {
        var layers: [Layer] = []
        var indices: [LayerKey: Int] = [:]
        for image in plan?.images ?? [] {
            let name = image.definition.name.value
            for part in image.platforms {
                var parent: LayerKey?
                for layer in part.layers {
                    guard let key = layer.key else { continue }
                    if let index = indices[key] {
                        if layers[index].images.last != name { layers[index].images.append(name) }
                    } else {
                        indices[key] = layers.count
                        layers.append(
                            Layer(key: key, kind: layer.kind, parent: parent, action: layer.action, images: [name]))
                    }
                    parent = key
                }
            }
        }
        for index in layers.indices { layers[index].images.sort() }
        self.commit = commit
        self.layers = layers
        images = (plan?.images ?? []).map { image in
            var parent: ImageName?
            if case .image(let name) = image.definition.base { parent = name }
            return Image(
                name: image.definition.name.value, status: image.status, parent: parent,
                base: parent == nil ? image.base?.reference : nil,
                layers: image.platforms.flatMap { $0.layers.compactMap(\.key) })
        }
    }
}
