// SPDX-License-Identifier: Apache-2.0

/// All that decides what one layer holds, beside its parent and platform.
public enum LayerContent: Hashable, Sendable {
    case base(BaseContent)
    case apt(AptContent)
    case conda(CondaContent)
    case pip(PipContent)
    case postBuild(PostBuildContent)
    case config(ConfigContent)

    /// The kind of layer that this is the content of.
    public var kind: LayerKind {
        switch self {
        case .base: .base
        case .apt: .apt
        case .conda: .conda
        case .pip: .pip
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
