// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads `external`: an image that is built elsewhere and only registered.
struct ExternalReader {
    let root: YamlValue
    let findings: Findings

    /// The keys that would say how to build or publish it.
    static let excluded = ["base", "build", "copyFrom", "env", "inputs", "start", "verify", "tags"]

    /// What the value means, and whether anything beside it is at odds with it; nil where it is not given or wrong.
    ///
    /// - Parameter given: What the image gives itself, files included.
    func read(_ given: GivenFields) -> BaseSpecification? {
        guard let value = root["external"], !value.isNull else { return nil }
        for key in Self.excluded {
            guard let other = root.entries?.first(where: { $0.key == key && !$0.value.isNull }) else { continue }
            refuse("'\(key)'", at: other.place)
        }
        for key in given.keys.subtracting(given.document).sorted() {
            refuse("the file for '\(key)'", at: value.place)
        }
        guard let text = value.text else { return nil }
        // As a base, but never the name of an image of this repository.
        guard text.contains("/") else {
            findings.report(
                .externalReference, at: value.place,
                "\(quoted(text)) is not an image of a registry; expected REGISTRY/REPOSITORY:TAG",
                hint: "an image of this repository is named by 'base'")
            return nil
        }
        guard case .registry(let reference) = ImageFields(root: root, findings: findings).named(text, at: value.place)
        else { return nil }
        return .external(reference)
    }

    private func refuse(_ what: String, at place: Place) {
        findings.report(
            .externalConflict, at: place, "\(what) has no effect beside 'external': the image is built elsewhere",
            hint: "remove it, or write 'base' in place of 'external' to build on that image")
    }
}
