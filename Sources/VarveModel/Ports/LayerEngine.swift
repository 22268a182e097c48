// SPDX-License-Identifier: Apache-2.0

/// Builds layers, keeps them under their keys, and runs checks in finished images.
///
/// All failures are thrown as `BuildFailure`. Cancelling the task ends the running step and all its processes.
public protocol LayerEngine: Sendable {
    /// The engine and its version, for the record: `buildah 1.28.2`.
    var name: String { get async }

    /// Makes the store ready: removes every working container and half-written file that a crash left behind.
    func prepare() async throws

    /// The finished layer of a key, from the store or else from the layer cache; nil where there is none.
    func layer(for key: LayerKey, kind: LayerKind) async throws -> BuiltLayer?

    /// Builds one layer: exactly one execution for a step. The result is found by `layer(for:kind:)` from then on, and
    /// a crash leaves either the whole layer or nothing.
    func build(_ request: LayerRequest, log: any BuildLog) async throws -> BuiltLayer

    /// Runs a check in a finished image. The image is left as it is.
    ///
    /// - Throws: `BuildFailure` of class `definition` when the script exits non-zero.
    func verify(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) async throws
}

/// One layer to build.
public struct LayerRequest: Sendable {
    /// The layer's key.
    public var key: LayerKey
    /// The platform.
    public var platform: Platform
    /// What the layer holds.
    public var content: LayerContent
    /// The layer below; nil for a base.
    public var parent: BuiltLayer?
    /// Where to pull the base from; set for a base that is an image, nil otherwise.
    public var baseImage: ResolvedImage?
    /// The images that a Containerfile names, as they were found.
    public var contextImages: [ImageReference: ResolvedImage] = [:]
    /// The files of the definition's commit, for inputs and local requirements.
    public var sources: any SourceTree
    /// Whose caches the step may use.
    public var owner: Owner
    /// How long the step may run.
    public var timeout: Duration

    /// A layer to build.
    public init(
        key: LayerKey, platform: Platform, content: LayerContent, parent: BuiltLayer?, baseImage: ResolvedImage?,
        sources: any SourceTree, owner: Owner, timeout: Duration
    ) {
        self.key = key
        self.platform = platform
        self.content = content
        self.parent = parent
        self.baseImage = baseImage
        self.sources = sources
        self.owner = owner
        self.timeout = timeout
    }
}

/// A layer that is in the engine's store, whole.
public struct BuiltLayer: Hashable, Sendable {
    /// The key.
    public var key: LayerKey
    /// The kind.
    public var kind: LayerKind
    /// The config digest of the image that ends in this layer: the OCI image id.
    public var configDigest: Digest
    /// The diff-id of the topmost layer, where the image has layers.
    public var diffID: Digest?
    /// The size of the topmost layer's archive in bytes, where it is known: uncompressed where it was built here, compressed
    /// where it was pulled.
    public var size: Int?

    /// A layer of the store.
    public init(key: LayerKey, kind: LayerKind, configDigest: Digest, diffID: Digest? = nil, size: Int? = nil) {
        self.key = key
        self.kind = kind
        self.configDigest = configDigest
        self.diffID = diffID
        self.size = size
    }
}

/// Takes the output of one layer's step as it comes.
public protocol BuildLog: Sendable {
    /// Takes one line, without its line end. Redaction and escaping are the receiver's.
    func append(line: String, layer: LayerKind)
}
