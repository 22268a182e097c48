// SPDX-License-Identifier: Apache-2.0

/// All that decides what one layer holds, beside its parent and platform.
public enum LayerContent: Hashable, Sendable {
    case base(BaseContent)
    case apt(AptContent)
    case conda(CondaContent)
    case cran(CranContent)
    case bioconductor(BioconductorContent)
    case remotes(RemotesContent)
    case installR(InstallRContent)
    case pip(PipContent)
    case kernel(KernelContent)
    case postBuild(PostBuildContent)
    case config(ConfigContent)

    /// The kind of layer that this is the content of.
    public var kind: LayerKind {
        switch self {
        case .base: .base
        case .apt: .apt
        case .conda: .conda
        case .cran: .cran
        case .bioconductor: .bioconductor
        case .remotes: .remotes
        case .installR: .installR
        case .pip: .pip
        case .kernel: .kernel
        case .postBuild: .postBuild
        case .config: .config
        }
    }
}

/// What identifies a base.
public enum BaseContent: Hashable, Sendable {
    /// The config digest (OCI image id) of an image that exists: it covers the diff-ids and the run configuration.
    case image(configDigest: Digest)
    /// A base that varve makes; its definition stands for it.
    case bootstrap(BootstrapSpecification)
    /// A base that a Containerfile makes.
    case containerfile(ContainerfileContent)
}

/// What a Containerfile makes a base of: its files, and the images that it names as they were found.
public struct ContainerfileContent: Hashable, Sendable {
    /// The Containerfile and its context.
    public var specification: ContainerfileSpecification
    /// The config digest of each image that it names.
    public var images: [ImageReference: Digest]

    /// A Containerfile with the images that it names.
    public init(specification: ContainerfileSpecification, images: [ImageReference: Digest]) {
        self.specification = specification
        self.images = images
    }
}

/// The run configuration that an image adds to its base.
public struct ConfigContent: Hashable, Sendable {
    /// Variables of the finished image.
    public var environment: [String: String]
    /// The entrypoint wrapper, installed as `/usr/local/bin/varve-start`.
    public var start: Script?
    /// Labels beside those that varve derives from the key.
    public var labels: [String: String]

    /// A run configuration.
    public init(environment: [String: String] = [:], start: Script? = nil, labels: [String: String] = [:]) {
        self.environment = environment
        self.start = start
        self.labels = labels
    }
}
