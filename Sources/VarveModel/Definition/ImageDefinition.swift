// SPDX-License-Identifier: Apache-2.0

/// One image as its folder defines it, read and checked: what should exist.
public struct ImageDefinition: Hashable, Sendable {
    /// The image's name, unique in the repository.
    public var name: ImageName
    /// The folder that holds `image.yaml`.
    public var folder: RepositoryPath
    /// The tree id of that folder; state notes hang on it.
    public var tree: ObjectID
    /// Text for people; never part of a key.
    public var description: String
    /// Who answers for the image; never part of a key.
    public var owner: Owner
    /// Who may see the image; never part of a key.
    public var visibility: Visibility
    /// The hardware the image is for.
    public var hardware: Hardware
    /// The kinds of resource that can use the image; never part of a key.
    public var supports: [ResourceKind]
    /// What the first layer stands on.
    public var base: BaseSpecification
    /// The layers above the base.
    public var build: BuildData
    /// The environment of the finished image; build steps do not see it.
    public var environment: [String: String]
    /// The entrypoint wrapper.
    public var start: Script?
    /// The check that runs in the finished image before it is published; never part of a key.
    public var verify: Script?
    /// Further tags to publish under; never part of a key.
    public var tags: [String]
    /// The platforms to build for; the first is the one that names the image.
    public var platforms: [Platform]
    /// Whether the image is left as it is.
    public var isSuspended: Bool
    /// Paths outside the folder that the image's own files name: what `-r`, `-c`, links and local requirements reach.
    public var outsideInputs: [RepositoryPath]
    /// Paths that are there for other images too, and of which this one takes a part: `varve.yaml` where it gives a layer,
    /// and all that counts for the image that this one copies from.
    public var sharedInputs: [RepositoryPath]
    /// The image whose configuration this one starts from; what was copied stands in the other fields.
    public var copyFrom: ImageName?
    /// The bytes in the registry above which the image is not published; never part of a key.
    public var maximumSize: Int?

    /// A definition with everything but its name, place and base at its default.
    public init(
        name: ImageName, folder: RepositoryPath, tree: ObjectID, base: BaseSpecification, platforms: [Platform]
    ) {
        self.name = name
        self.folder = folder
        self.tree = tree
        self.base = base
        self.platforms = platforms
        description = ""
        owner = .allUsers
        visibility = .org
        hardware = .cpu
        supports = []
        build = BuildData()
        environment = [:]
        tags = []
        isSuspended = false
        outsideInputs = []
        sharedInputs = []
    }
}

/// Who answers for an image.
public enum Owner: Hashable, Sendable {
    case allUsers
    case user(String)
    case group(String)

    /// The form that definitions use: `all-users`, `user/NAME`, `group/NAME`.
    public var text: String {
        switch self {
        case .allUsers: "all-users"
        case .user(let name): "user/" + name
        case .group(let name): "group/" + name
        }
    }
}

/// Who may see an image, in Saturn Cloud's words.
public enum Visibility: String, CaseIterable, Hashable, Sendable {
    case owner
    case org
    case account
}

/// The hardware an image is for.
public enum Hardware: String, CaseIterable, Hashable, Sendable {
    case cpu
    case gpu
}

/// The kinds of resource that can use an image, in Saturn Cloud's words.
public enum ResourceKind: String, CaseIterable, Hashable, Sendable {
    case jupyterlab
    case rstudioOpensource = "rstudio-opensource"
    case rstudioWorkbench = "rstudio-workbench"
    case dask
}

/// What an image stands on.
public enum BaseSpecification: Hashable, Sendable {
    /// Another image of the same repository.
    case image(ImageName)
    /// An image in a registry.
    case registry(ImageReference)
    /// A base that varve makes from a distribution's packages.
    case bootstrap(BootstrapSpecification)
    /// A base that the engine builds from a Containerfile.
    case containerfile(ContainerfileSpecification)
    /// No base but the whole image: one that is built elsewhere and only registered.
    case external(ImageReference)
}

extension BaseSpecification {
    /// The images of registries that must be looked up before the base is known.
    public var references: [ImageReference] {
        switch self {
        case .registry(let reference), .external(let reference): [reference]
        case .containerfile(let specification): specification.images
        case .image, .bootstrap: []
        }
    }
}

/// A Containerfile of the image's folder, and all that its build sees.
public struct ContainerfileSpecification: Hashable, Sendable {
    /// The Containerfile, relative to the image's folder.
    public var path: RepositoryPath
    /// The files of the context, sorted by path: those of the image's folder but for the files of the definition.
    public var files: [InputFile]
    /// The images that it names (`FROM`, `COPY --from`): a sorted set.
    public var images: [ImageReference]

    /// A Containerfile with its context.
    public init(path: RepositoryPath, files: [InputFile], images: [ImageReference]) {
        self.path = path
        self.files = files.sorted { $0.path < $1.path }
        self.images = Set(images).sorted { $0.description < $1.description }
    }
}

/// A base made from a distribution's packages by `mmdebstrap`.
public struct BootstrapSpecification: Hashable, Sendable {
    /// The distribution, lower case: `debian`.
    public var distribution: String
    /// The release's code name: `bookworm`.
    public var suite: String
    /// The package mirror; nil takes the distribution's own.
    public var mirror: String?
    /// Packages beside the essential ones: a sorted set.
    public var packages: [String]
    /// The user to create, with a home, and to run as; nil leaves root.
    public var user: String?

    /// A base of the given release with the given packages, sorted and without duplicates.
    public init(
        distribution: String, suite: String, mirror: String? = nil, packages: [String] = [], user: String? = nil
    ) {
        self.distribution = distribution
        self.suite = suite
        self.mirror = mirror
        self.user = user
        self.packages = canonicalSet(packages)
    }

    /// What the name of a user must be.
    public static let userNameRule =
        "expected a name other than root of a-z, 0-9, '_' and '-', at most 32, that begins with a letter or '_'"

    /// Whether a text can be the name of the user to create, as Debian's `useradd` takes it.
    public static func isUserName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 32, text != "root" else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) || byte == 0x5f }
        return isLetter(first)
            && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
}

/// A script, byte for byte as it stands in the definition.
public struct Script: Hashable, Sendable {
    /// The bytes.
    public var bytes: [UInt8]

    /// Wraps the bytes of a script.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether the script names its interpreter; where it does not, bash runs it.
    public var hasShebang: Bool { bytes.starts(with: [0x23, 0x21]) }
}
