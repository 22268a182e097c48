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
        KeyDescription(
            "groups", .lists, default: "none, so that any group can be an owner",
            "The groups that can own images, each with the list of its members."),
        KeyDescription(
            "defaults", .record(defaults), default: "none", layers: LayerKind.allCases,
            "What holds for each image that does not give it itself; under build, layer by layer."
        ),
        KeyDescription(
            "definitions", .list(.text), default: "the whole repository",
            "The folders below which definitions are looked for; patterns as in inputs."
        ),
        KeyDescription("policy", .record(policy), default: "none", "What every image of the repository must keep to."),
    ]

    /// The keys that have no default: what one image alone can say.
    static let withoutDefault: Set<String> = ["name", "copyFrom", "external", "inputs"]

    /// The keys under `defaults`: those of `image.yaml`, but for what one image alone can say.
    public static let defaults: [KeyDescription] = ImageKeys.all.filter { !withoutDefault.contains($0.name) }
        .map { key in
            var optional = key
            optional.defaultText = key.defaultText ?? "none"
            return optional
        }

    /// The keys under `policy`.
    public static let policy: [KeyDescription] = [
        KeyDescription(
            "bases", .list(.text), default: "any",
            "Patterns of the registry references that images can stand on; bootstraps and images of the repository always can."
        ),
        KeyDescription(
            "maximumSize", .text, default: "none",
            "The size in the registry above which an image is not published, as 4GB or 500MiB."
        ),
        KeyDescription(
            "requireOwner", .boolean, default: "false", "Whether each image must have a user or a group as owner."
        ),
    ]
}
