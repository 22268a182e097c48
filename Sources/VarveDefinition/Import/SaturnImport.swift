// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// The definitions that a recipe of Saturn Cloud describes, and what of it a definition cannot say.
///
/// A recipe is an image with versions. Each version that is not archived becomes a definition: the last one under the
/// image's name, an older one under the image's and its own.
public struct SaturnImport: Sendable {
    /// A definition to be written.
    public struct Image: Sendable {
        /// The image's name, and that of its folder; no other image has it.
        public var name: String
        /// Text for people; nil where there is none.
        public var description: String?
        /// The owner as definitions write it; nil where none is named.
        public var owner: String?
        /// Who may see the image; nil where it is not said.
        public var visibility: Visibility?
        /// The hardware the image is for.
        public var hardware: Hardware
        /// The kinds of resource that can use the image.
        public var supports: [ResourceKind]
        /// What the image is made of.
        public var source: Source
        /// The files beside `image.yaml`, by the names that repo2docker gives them.
        public var files: [File]
    }

    /// What an image is made of.
    public enum Source: Hashable, Sendable {
        /// It is built on this base.
        case base(ImageReference)
        /// It is built elsewhere.
        case external(ImageReference)
    }

    /// A file of a definition.
    public struct File: Hashable, Sendable {
        /// The name: `apt.txt`.
        public var name: String
        /// What stands in it.
        public var text: String
    }

    /// Something a person should know about the recipe.
    public struct Remark: Hashable, Sendable {
        /// The line, from 1; 0 where it concerns the whole file.
        public var line: Int
        /// The column in characters, from 1; 0 where it concerns the whole line.
        public var column: Int
        /// What is not carried, or carried otherwise than it was written.
        public var message: String
        /// Whether a version that should have been carried is not.
        public var isError: Bool
    }

    /// The definitions, in the order of the versions.
    public private(set) var images: [Image] = []
    /// What could not be carried, by place.
    public private(set) var remarks: [Remark] = []

    /// How large a recipe can be.
    public static let sizeLimit = DefinitionFiles.fileLimit
    /// How many versions a recipe can have.
    static let versionLimit = 1_000

    /// Reads a recipe in JSON or YAML.
    ///
    /// - Parameters:
    ///   - bytes: the recipe.
    ///   - taken: the names of the images that are there; those of this recipe are added.
    public init(_ bytes: [UInt8], taken: inout Set<String>) {
        var reader = SaturnRecipeReader()
        if bytes.count > Self.sizeLimit {
            reader.refuse("the file has \(bytes.count) bytes; expected at most \(Self.sizeLimit)")
        } else {
            images = reader.read(bytes, taken: &taken)
        }
        remarks = reader.remarks.sorted {
            ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message)
        }
    }
}
