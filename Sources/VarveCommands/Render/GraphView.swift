// SPDX-License-Identifier: Apache-2.0

/// The images of a repository, each below the one that it stands on.
struct GraphView {
    /// One image.
    struct Image {
        var name: String
        var status: String
        /// The image of this repository that it stands on.
        var parent: String?
        /// What it stands on otherwise.
        var base: String?
        /// The keys of its layers.
        var layers: [String]
    }

    /// The images, parents before children, with how many stand below each.
    private(set) var rows: [(image: Image, depth: Int)] = []

    init(_ images: [Image]) {
        var children: [String: [Image]] = [:]
        let names = Set(images.map(\.name))
        var open: [(Image, Int)] = []
        for image in images.sorted(by: { $0.name > $1.name }) {
            // A parent that is not among them is shown as what it stands on.
            if let parent = image.parent, names.contains(parent) {
                children[parent, default: []].append(image)
            } else {
                open.append((image, 0))
            }
        }
        while let (image, depth) = open.popLast() {
            rows.append((image, depth))
            // Taken out, so that a circle ends.
            open += (children.removeValue(forKey: image.name) ?? []).map { ($0, depth + 1) }
        }
    }

    /// The table; on a terminal names are indented by what they stand on.
    func table(isIndented: Bool = Output.isTerminal) -> Table {
        var uses: [String: Int] = [:]
        for (image, _) in rows { for key in Set(image.layers) { uses[key, default: 0] += 1 } }
        var table = Table("IMAGE", "STATUS", "STANDS ON", "LAYERS")
        for (image, depth) in rows {
            let shared = image.layers.count { uses[$0, default: 0] > 1 }
            table.add(
                (isIndented ? String(repeating: "  ", count: depth) : "") + image.name, image.status,
                image.parent ?? image.base ?? "-",
                "\(image.layers.count)" + (shared > 0 ? ", \(shared) shared" : ""))
        }
        return table
    }
}
