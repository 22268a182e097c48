// SPDX-License-Identifier: Apache-2.0

/// One event of an image's history, as `refs/notes/varve/state` keeps it: one JSON object on one line, at most 4 KB.
///
/// Records are ordered by `start`, then `id`, never by where their line stands.
public struct BuildRecord: Codable, Hashable, Sendable {
    /// The version of this schema.
    public static let currentVersion = 1

    /// The version of the schema that the line was written with.
    public var version: Int
    /// Unique: 32 lower-case hexadecimal digits.
    public var id: String
    /// The image.
    public var image: ImageName
    /// The folder that defined the image.
    public var folder: RepositoryPath
    /// The tree id of that folder at `commit`; the record is noted on it.
    public var tree: ObjectID?
    /// The definition's commit: the last one that changed the image's folder or an input outside it.
    public var commit: ObjectID
    /// What set the pass off: `reconcile`, `daemon`, or `rebuild by NAME` for what somebody asked a daemon for.
    public var trigger: String
    /// How it ended: `built`, `error`, `adopted`, `invalid`, `blocked`, `retired`.
    public var status: ImageStatus
    /// Why it ran.
    public var reasons: [RebuildReason]
    /// The layers, in order.
    public var layers: [LayerRecord]
    /// The published image by digest, where one was published.
    public var reference: String?
    /// The manifest's digest.
    public var manifestDigest: Digest?
    /// The config's digest: the OCI image id, by which children are keyed.
    public var configDigest: Digest?
    /// The tags that were put on the manifest.
    public var tags: [String]
    /// The base as it was resolved.
    public var base: BaseRecord?
    /// The platform that was built for.
    public var platform: Platform?
    /// The images of every platform, where there are several; then `manifestDigest` is that of the index, and
    /// `configDigest` and `base` are those of `platform`.
    public var platforms: [PlatformRecord]?
    /// SHA-256 of the `verify` script that ran, where one did; of a good build it passed.
    public var verify: Digest?
    /// When the build began: `2026-11-23T11:05:08Z`.
    public var start: Timestamp
    /// How long it took.
    public var seconds: Double
    /// The engine and its version.
    public var engine: String
    /// The host's name.
    public var host: String
    /// The counter of the lease under which it was written; nil where no lease was needed.
    public var lease: Int?
    /// What went wrong, where something did.
    public var error: FailureRecord?

    /// A record of the current schema version, with nothing published.
    public init(
        id: String, image: ImageName, folder: RepositoryPath = .root, tree: ObjectID? = nil, commit: ObjectID,
        trigger: String, status: ImageStatus, reasons: [RebuildReason], layers: [LayerRecord], start: Timestamp,
        seconds: Double, engine: String, host: String
    ) {
        version = Self.currentVersion
        self.id = id
        self.image = image
        self.folder = folder
        self.tree = tree
        self.commit = commit
        self.trigger = trigger
        self.status = status
        self.reasons = reasons
        self.layers = layers
        self.start = start
        self.seconds = seconds
        self.engine = engine
        self.host = host
        tags = []
    }
}

/// What happened to one layer.
public struct LayerRecord: Codable, Hashable, Sendable {
    /// What was done for the layer.
    public enum Action: String, Codable, Hashable, Sendable {
        case built
        case reused
        case failed
    }

    /// The kind.
    public var kind: LayerKind
    /// The key.
    public var key: LayerKey
    /// What was done.
    public var action: Action
    /// How long it took; 0 when reused.
    public var seconds: Double
    /// The size of the layer's archive in bytes as the engine keeps it, where it is known: uncompressed where it was built
    /// here, compressed where it was pulled.
    public var size: Int?
    /// The diff-id: the digest of the uncompressed archive.
    public var digest: Digest?
    /// The platform that it is for, where that is another than the record's.
    public var platform: Platform?

    /// A layer's outcome.
    public init(
        kind: LayerKind, key: LayerKey, action: Action, seconds: Double = 0, size: Int? = nil, digest: Digest? = nil
    ) {
        self.kind = kind
        self.key = key
        self.action = action
        self.seconds = seconds
        self.size = size
        self.digest = digest
    }
}

/// A base as it was resolved for a build.
public struct BaseRecord: Codable, Hashable, Sendable {
    /// The reference, the image's name, `bootstrap debian/bookworm` or `containerfile Containerfile`.
    public var reference: String
    /// The digest of the platform's manifest; absent for a bootstrap.
    public var manifestDigest: Digest?
    /// The config digest; it alone is part of a key.
    public var configDigest: Digest?
    /// The version of CUDA that the base has, where it has one; the images that stand on it have it too.
    public var cudaVersion: String?
    /// The images that a Containerfile names, as they were resolved; absent for every other base.
    public var images: [BaseRecord]?

    /// A resolved base.
    public init(
        reference: String, manifestDigest: Digest? = nil, configDigest: Digest? = nil, cudaVersion: String? = nil
    ) {
        self.reference = reference
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
        self.cudaVersion = cudaVersion
    }
}

/// Why a build failed, in the record.
public struct FailureRecord: Codable, Hashable, Sendable {
    /// The class, which decides whether and when to try again.
    public var failureClass: BuildFailure.Class
    /// The layer that failed, where one did.
    public var layer: LayerKind?
    /// What happened, on one line.
    public var message: String
    /// The end of the log, redacted and capped.
    public var tail: String

    private enum CodingKeys: String, CodingKey {
        case failureClass = "class"
        case layer, message, tail
    }

    /// A failure as it is kept.
    public init(failureClass: BuildFailure.Class, layer: LayerKind?, message: String, tail: String) {
        self.failureClass = failureClass
        self.layer = layer
        self.message = message
        self.tail = tail
    }
}

/// The image of one platform of several.
public struct PlatformRecord: Codable, Hashable, Sendable {
    /// The platform.
    public var platform: Platform
    /// The digest of the platform's manifest.
    public var manifestDigest: Digest
    /// The digest of its config.
    public var configDigest: Digest
    /// What it stands on; nil for the record's own platform, whose base the record has.
    public var base: BaseRecord?

    /// The image of one platform.
    public init(platform: Platform, manifestDigest: Digest, configDigest: Digest, base: BaseRecord? = nil) {
        self.platform = platform
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
        self.base = base
    }
}

extension BuildRecord {
    /// The platforms that the image was built for; empty where the record does not say.
    public var builtPlatforms: [Platform] { platforms?.map(\.platform) ?? (platform.map { [$0] } ?? []) }

    /// The layers of one platform, in order.
    public func layers(for platform: Platform) -> [LayerRecord] {
        layers.filter { ($0.platform ?? self.platform ?? platform) == platform }
    }

    /// The published image of one platform; nil where there is none.
    public func image(for platform: Platform) -> PlatformRecord? {
        if let platforms { return platforms.first { $0.platform == platform } }
        guard self.platform == nil || self.platform == platform, let manifestDigest, let configDigest else {
            return nil
        }
        return PlatformRecord(platform: platform, manifestDigest: manifestDigest, configDigest: configDigest)
    }

    /// What the image of one platform stands on.
    public func base(for platform: Platform) -> BaseRecord? { image(for: platform)?.base ?? base }

    /// The duration in whole seconds; whatever stands in a note that somebody else wrote, a number that can be shown.
    public var wholeSeconds: Int {
        seconds.isFinite ? Int(min(max(seconds, 0), 1e9).rounded()) : 0
    }
}
