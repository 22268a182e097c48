// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A published image as a recipe of Saturn Cloud, schema version 2022.08.01: one version, by digest.
public struct SaturnRecipe: Encodable, Hashable, Sendable {
    /// Why an image has no recipe.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        /// What is in the way, to stand after the image's name.
        public let description: String
    }

    /// A version of an image.
    public struct Version: Encodable, Hashable, Sendable {
        /// The tag of the build.
        public let name: String
        /// The image by digest.
        public let imageURI: String

        enum CodingKeys: String, CodingKey {
            case name
            case imageURI = "image_uri"
        }
    }

    /// The image's name, with `-` for `_`, which a recipe's name cannot hold.
    public let name: String
    /// Text for people.
    public let description: String?
    /// The name of the user or group; nil for all users.
    public let owner: String?
    /// Who may see the image.
    public let visibility: String
    /// The hardware the image is for.
    public let hardware: String
    /// The kinds of resource that can use the image; nil where none is named.
    public let supports: [String]?
    /// The one version.
    public let versions: [Version]
    /// The version of the schema.
    public let schemaVersion: String
    /// What of the definition the recipe does not say, a line each; no part of the recipe.
    public let remarks: [String]

    enum CodingKeys: String, CodingKey {
        case name, description, owner, visibility
        case hardware = "hardware_type"
        case supports, versions
        case schemaVersion = "schema_version"
    }

    /// The recipe of an image whose newest good build is recorded.
    ///
    /// - Throws: `Refusal` where nothing is published that a recipe can name.
    public init(_ image: ImageDefinition, built record: BuildRecord?) throws(Refusal) {
        guard let record, let text = record.reference else { throw Refusal(description: "has no published build") }
        if text.hasPrefix("oci:") {
            throw Refusal(
                description:
                    "is published in a folder (\(singleLine(text, limit: 200))), and a recipe names an image of a "
                    + "registry; publish with --registry HOST/PREFIX")
        }
        guard let reference = try? ImageReference(text), let digest = reference.digest else {
            throw Refusal(description: "has a record that names no image by digest")
        }
        let tag = record.tags.first(where: ImageFields.isBuildTag)
        var remarks: [String] = []
        if let owner = Self.kind(of: image.owner) {
            remarks.append("the owner is written without '\(owner)/': a recipe does not say which kind it is")
        }
        if !image.tags.isEmpty { remarks.append("the tags \(image.tags.joined(separator: ", ")) are not carried") }
        name = image.name.value.replacing("_", with: "-")
        if name != image.name.value { remarks.append("the name is written '\(name)'") }
        description = image.description.isEmpty ? nil : image.description
        owner = Self.name(of: image.owner)
        visibility = image.visibility.rawValue
        hardware = image.hardware.rawValue
        supports = image.supports.isEmpty ? nil : image.supports.map(\.rawValue)
        versions = [
            Version(name: tag ?? String(digest.hex.prefix(12)), imageURI: reference.pinned(to: digest).description)
        ]
        schemaVersion = SaturnRecipeReader.schemaVersion
        self.remarks = remarks
    }

    private static func kind(of owner: Owner) -> String? {
        switch owner {
        case .allUsers: nil
        case .user: "user"
        case .group: "group"
        }
    }

    private static func name(of owner: Owner) -> String? {
        switch owner {
        case .allUsers: nil
        case .user(let name), .group(let name): name
        }
    }
}
