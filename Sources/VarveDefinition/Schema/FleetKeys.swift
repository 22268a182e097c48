// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The keys of `varve.yaml`, the file for the whole repository at its root.
///
/// The operator's settings (registry, credentials, engine) are not among them: they are never read from the repository.
public enum FleetKeys {
    /// The name of the file, at the repository's root.
    public static let fileName = "varve.yaml"

    /// The keys of the document itself.
    public static let all: [KeyDescription] = [
        unsupported("groups", .lists, "The groups that can own images, each with the list of its members."),
        unsupported(
            "defaults", .record(defaults), layers: LayerKind.allCases,
            "What holds for each image that does not give it itself; under build, layer by layer."
        ),
        unsupported(
            "definitions", .list(.text), default: "the whole repository",
            "The folders in which definitions are looked for."
        ),
        unsupported("policy", .record(policy), "What every image of the repository must keep to."),
    ]

    /// The keys under `defaults`: those of `image.yaml`, but for the name.
    public static let defaults: [KeyDescription] = ImageKeys.all.filter { $0.name != "name" }.map { key in
        var optional = key
        optional.defaultText = key.defaultText ?? "none"
        return optional
    }

    /// The keys under `policy`.
    public static let policy: [KeyDescription] = [
        unsupported(
            "bases", .list(.text), default: "any",
            "The bases allowed: patterns of registry references, and the words bootstrap and containerfile."
        ),
        unsupported(
            "maximumSize", .text, "The size above which an image is not published, as 4GB or 500MiB."
        ),
        unsupported(
            "requireOwner", .boolean, default: "false", "Whether each image must say who owns it."
        ),
    ]

    private static func unsupported(
        _ name: String, _ type: ValueType, default defaultText: String = "none", layers: [LayerKind] = [],
        _ summary: String
    ) -> KeyDescription {
        KeyDescription(name, type, default: defaultText, layers: layers, summary, isSupported: false)
    }
}
