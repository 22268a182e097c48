// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Which image stands on which, for the images of one commit.
public struct ImageGraph: Sendable {
    /// The images, each after the image it stands on; images of equal depth by name.
    public let order: [ImageName]
    /// The images that stand directly on an image, by name.
    public let children: [ImageName: [ImageName]]

    /// Orders the definitions.
    ///
    /// A base that is not among them does not count; of a cycle, which reading has refused
    /// already, the members come last.
    public init(_ images: [ImageDefinition]) {
        var parents: [ImageName: ImageName] = [:]
        let names = Set(images.map(\.name))
        for image in images {
            if case .image(let parent) = image.base, names.contains(parent) { parents[image.name] = parent }
        }
        var children: [ImageName: [ImageName]] = [:]
        for (child, parent) in parents { children[parent, default: []].append(child) }
        self.children = children.mapValues { $0.sorted() }
        var level = names.filter { parents[$0] == nil }.sorted()
        var order: [ImageName] = []
        while !level.isEmpty {
            order += level
            level = level.flatMap { children[$0] ?? [] }.sorted()
        }
        self.order = order + names.subtracting(order).sorted()
    }

    /// All images that stand on an image, directly or through others.
    public func descendants(of image: ImageName) -> [ImageName] {
        var result: [ImageName] = []
        var seen: Set<ImageName> = [image]
        var open = children[image] ?? []
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            result.append(next)
            open += children[next] ?? []
        }
        return result.sorted()
    }
}
