// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// The records of a repository, arranged for planning.
public struct History: Sendable {
    /// The newest record of each image.
    public private(set) var latest: [ImageName: BuildRecord] = [:]
    /// The newest record of each image that stands for a published build.
    public private(set) var lastGood: [ImageName: BuildRecord] = [:]
    private var latestInFolder: [RepositoryPath: BuildRecord] = [:]
    private var finished: Set<LayerKey> = []

    /// Arranges records, which are ordered by start, then id.
    public init(_ records: [BuildRecord] = []) {
        for record in records { add(record) }
    }

    /// Takes one more record, newer than all before.
    public mutating func add(_ record: BuildRecord) {
        latest[record.image] = record
        latestInFolder[record.folder] = record
        if record.status == .built || record.status == .adopted { lastGood[record.image] = record }
        for layer in record.layers where layer.action != .failed { finished.insert(layer.key) }
    }

    /// The newest record and the newest good one of each image, in order.
    public var newest: [BuildRecord] {
        let older = lastGood.values.filter { $0.id != latest[$0.image]?.id }
        return (older + latest.values).sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    }

    /// Whether it is recorded that a folder, as it is now, cannot be read.
    ///
    /// Asked by folder, not by name: two folders that claim one name are both invalid.
    public func knowsAsInvalid(_ definition: InvalidDefinition) -> Bool {
        guard let record = latestInFolder[definition.folder] else { return false }
        return record.status == .invalid && record.tree == definition.tree
    }

    /// Whether a record says that a layer of this key was finished.
    public func hasFinished(_ key: LayerKey) -> Bool { finished.contains(key) }

    /// The image as its newest good record says it is published; nil where it never was.
    public func published(_ image: ImageName, for platform: Platform) -> ResolvedImage? {
        guard let record = lastGood[image], let reference = record.reference, let found = record.image(for: platform)
        else { return nil }
        return ResolvedImage(
            reference: reference, manifestDigest: found.manifestDigest, configDigest: found.configDigest,
            image: record.isExternal ? nil : image, cudaVersion: record.base(for: platform)?.cudaVersion)
    }
}

extension BuildRecord {
    /// Whether the image was built elsewhere: whatever is built here has a layer of configuration.
    public var isExternal: Bool { !layers.isEmpty && layers.allSatisfy { $0.kind == .base } }

    /// Where the image was published, without build tag or digest; nil where it was not.
    public var location: String? { reference.map { String($0[..<($0.lastIndex(of: "@") ?? $0.endIndex)]) } }
}
