// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What `varve.yaml` asks of every image.
struct FleetPolicy {
    /// The registry references that images can stand on.
    struct Bases {
        var patterns: [InputPattern]
        var place: Place
    }

    /// The bases that are allowed; nil where all are.
    var bases: Bases?
    /// The bytes above which an image is not published.
    var maximumSize: Int?
    /// Where an owner is required; nil where none is.
    var requireOwner: Place?

    /// A rule as messages name it: `policy.bases (varve.yaml:4)`.
    func text(_ rule: String, _ place: Place?) -> String {
        "'\(rule)' (\(FleetKeys.fileName)" + (place.map { ":\($0.line)" } ?? "") + ")"
    }
}

extension FleetFile {
    /// Adds what is against the policy to the images' diagnostics, and the policy's limits to their definitions.
    func check(_ images: inout [ReadImage]) {
        for index in images.indices {
            guard let definition = images[index].definition else { continue }
            let findings = Findings()
            checkGroup(of: definition.owner, at: images[index].ownerPlace, findings)
            if let place = policy.requireOwner, definition.owner == .allUsers {
                findings.report(
                    .ownerRequired, at: images[index].ownerPlace,
                    "the image has no owner, which \(policy.text("policy.requireOwner", place)) asks for",
                    hint: "give it 'owner: user/NAME' or 'owner: group/NAME'")
            }
            checkBases(definition, images[index], findings)
            images[index].diagnostics += findings.sorted
            images[index].definition?.maximumSize = policy.maximumSize
        }
    }

    private func checkBases(_ definition: ImageDefinition, _ image: ReadImage, _ findings: Findings) {
        guard let bases = policy.bases else { return }
        // A base that is copied is reported where it is given.
        if image.copy != nil, !image.given.keys.contains("base") { return }
        for reference in definition.base.references where !bases.allow(reference) {
            findings.report(
                .baseNotAllowed, at: image.basePlace,
                "the base \(quoted(reference.description)) is not among those that "
                    + "\(policy.text("policy.bases", bases.place)) allows",
                hint: "take a base that fits one of its patterns, an image of this repository, or a bootstrap")
        }
    }
}

extension FleetPolicy.Bases {
    /// How many characters of a reference can be compared with parts of patterns.
    private static let stepLimit = 1_000_000

    /// Whether a pattern fits a reference: as a whole, or without its digest, or without its tag.
    func allow(_ reference: ImageReference) -> Bool {
        let name = reference.host + "/" + reference.repository
        let tagged = reference.tag.map { name + ":" + $0 } ?? name
        let forms = Set([name, tagged, reference.description]).map { text in
            // By bytes: as characters, a '/' and a combining mark after it are one.
            text.utf8.split(separator: 0x2F).map { String(Substring($0)) }
        }
        // What cannot be compared with this much work is not allowed.
        var steps = Self.stepLimit
        return patterns.contains { pattern in forms.contains { pattern.matches($0, steps: &steps) } }
    }
}
