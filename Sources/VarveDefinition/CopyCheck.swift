// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Fills in what images copy from each other.
struct CopyCheck {
    /// The image that each one is copied from, by index.
    private let sources: [Int?]
    /// The copiers, each behind the image it is copied from.
    private let order: [Int]

    /// Gives each copier what it does not give itself; images that cannot be copied from are reported.
    init(_ images: inout [ReadImage]) {
        let indexByName = Dictionary(
            images.indices.map { (images[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        sources = images.map { image in image.copy.flatMap { indexByName[$0.name.value] } }
        order = Self.sort(&images, sources)
        Self.reportUnknown(&images, sources, Set(indexByName.keys))
        for index in order {
            guard let source = sources[index], let definition = images[source].definition else {
                // A definition that lacks what it copies must not be taken for a whole one.
                images[index].definition = nil
                continue
            }
            if case .external = definition.base, let copy = images[index].copy {
                FleetCheck.report(
                    .copyExternal, at: copy.place,
                    "the image \(quoted(copy.name.value)) is external, so it has nothing to copy",
                    hint: "write 'base: \(copy.name.value)' to build on it", on: &images[index])
                continue
            }
            let given = images[index].given
            images[index].definition?.takeOver(definition, except: given)
        }
    }

    /// Reports the copiers of images that are wrong; to be called when everything else has been checked.
    func reportBroken(_ images: inout [ReadImage]) {
        for index in order {
            guard let copy = images[index].copy, let source = sources[index] else { continue }
            guard images[source].definition == nil || !images[source].diagnostics.isEmpty else { continue }
            FleetCheck.report(
                .copyBroken, at: copy.place,
                "the image \(quoted(copy.name.value)) is invalid, so nothing can be copied from it",
                hint: "correct the definition in \(quoted(images[source].folder.path.description))",
                on: &images[index]
            )
        }
    }

    /// The copiers that are in no circle, each behind its source; every member of a circle is reported.
    private static func sort(_ images: inout [ReadImage], _ sources: [Int?]) -> [Int] {
        let succession = Succession(sources)
        for circle in succession.circles {
            let names = circle.map { images[$0].name }
            for (offset, index) in circle.enumerated() {
                guard let copy = images[index].copy else { continue }
                FleetCheck.report(
                    .copyCycle, at: copy.place,
                    "the images are copied in a circle: " + Succession.text(names, from: offset), on: &images[index])
                images[index].definition = nil
            }
        }
        return succession.order.filter { images[$0].copy != nil }
    }

    private static func reportUnknown(_ images: inout [ReadImage], _ sources: [Int?], _ names: Set<String>) {
        // Comparing with every name is slow where a whole fleet names an image that is gone.
        var nearest: [String: String] = [:]
        for index in images.indices where sources[index] == nil {
            guard let copy = images[index].copy else { continue }
            if nearest[copy.name.value] == nil, nearest.count < 100 {
                nearest[copy.name.value] = nearestWord(to: copy.name.value, among: names) ?? ""
            }
            let word = nearest[copy.name.value].flatMap { $0.isEmpty ? nil : $0 }
            FleetCheck.report(
                .copyUnknown, at: copy.place, "there is no image \(quoted(copy.name.value)) in this repository",
                hint: word.map { "did you mean '\(singleLine($0))'?" }, on: &images[index]
            )
        }
    }
}
