// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Keeps finished layers outside the store, so that a lost store pulls layers in place of executing them.
public protocol LayerCache: Sendable {
    /// Brings the layer of a key into the store under its local name (`BuildahStore.name(of:kind:)`); false where the cache
    /// does not have it.
    ///
    /// - Throws: `BuildFailure` when the cache cannot be asked.
    func fetch(_ key: LayerKey, kind: LayerKind, into store: BuildahStore) async throws -> Bool

    /// Takes the finished layer of a key out of the store.
    ///
    /// - Throws: `BuildFailure` when the cache cannot take it.
    func save(_ key: LayerKey, kind: LayerKind, from store: BuildahStore) async throws
}

/// Brings base images into the store.
public protocol BaseImagePuller: Sendable {
    /// Pulls an image by its manifest digest into the store under the given local name. Where the manifest's config has
    /// another digest than `image.configDigest`, nothing is left under the name.
    ///
    /// - Throws: `BuildFailure` when it cannot be pulled.
    func pull(_ image: ResolvedImage, platform: Platform, into store: BuildahStore, as name: String) async throws
}
