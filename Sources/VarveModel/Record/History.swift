// SPDX-License-Identifier: Apache-2.0

/// What planning needs to know of all records of a repository.
///
/// Of each image it keeps the newest two records, and of all others only the keys of their layers, 32 bytes each. Records
/// can be taken in any order, and more than once: the outcome is the same.
public struct History: Equatable, Sendable {
    /// The newest record of each image.
    public private(set) var latest: [ImageName: BuildRecord] = [:]
    /// The newest record of each image that stands for a published build.
    public private(set) var lastGood: [ImageName: BuildRecord] = [:]
    /// How many lines could not be read: of a newer version, or damaged by another writer.
    public var unreadable = 0
    private var folders: [RepositoryPath: Newest<ObjectID?>] = [:]
    private var bases: [BaseName: Newest<ResolvedImage>] = [:]
    private var finished: Set<LayerKey> = []

    /// Takes records.
    public init(_ records: some Sequence<BuildRecord> = []) {
        for record in records { add(record) }
    }

    /// Takes one more record.
    public mutating func add(_ record: BuildRecord) {
        if record.supersedes(latest[record.image]) { latest[record.image] = record }
        if record.status == .built || record.status == .adopted, record.supersedes(lastGood[record.image]) {
            lastGood[record.image] = record
        }
        let unusable = Newest(RecordAge(record), record.status == .invalid ? record.tree : nil)
        if unusable.supersedes(folders[record.folder]) { folders[record.folder] = unusable }
        for layer in record.layers where layer.action != .failed { finished.insert(layer.key) }
        takeBases(of: record)
    }

    /// Whether there is no record at all.
    public var isEmpty: Bool { latest.isEmpty }

    /// The newest record and the newest good one of each image, in order.
    public var newest: [BuildRecord] {
        let older = lastGood.values.filter { $0.id != latest[$0.image]?.id }
        return (older + latest.values).sorted { $0.isBefore($1) }
    }

    /// Whether it is recorded that a folder, as it is now, cannot be read.
    ///
    /// Asked by folder, not by name: two folders that claim one name are both invalid.
    public func knowsAsInvalid(_ definition: InvalidDefinition) -> Bool {
        folders[definition.folder]?.value == definition.tree
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

    /// What a base was found to be when an image was last built on it; nil where none was.
    ///
    /// - Parameter host: the platform of records that name none.
    public func base(_ base: PlatformReference, host: Platform) -> ResolvedImage? {
        let named = bases[BaseName(reference: base.reference, platform: base.platform)]
        guard base.platform == host, let unnamed = bases[BaseName(reference: base.reference, platform: nil)],
            unnamed.supersedes(named)
        else { return named?.value }
        return unnamed.value
    }

    private mutating func takeBases(of record: BuildRecord) {
        for platform in record.builtPlatforms.isEmpty ? [nil] : record.builtPlatforms.map(Optional.some) {
            guard let own = platform.map({ record.base(for: $0) }) ?? record.base else { continue }
            for base in [own] + (own.images ?? []) {
                guard let manifest = base.manifestDigest, let config = base.configDigest,
                    let reference = try? ImageReference(base.reference)
                else { continue }
                let name = BaseName(reference: reference, platform: platform)
                let found = Newest(
                    RecordAge(record),
                    ResolvedImage(
                        reference: base.reference, manifestDigest: manifest, configDigest: config,
                        cudaVersion: base.cudaVersion))
                if found.supersedes(bases[name]) { bases[name] = found }
            }
        }
    }
}

/// A base as records name it.
private struct BaseName: Hashable, Sendable {
    var reference: ImageReference
    /// Nil where the record does not say.
    var platform: Platform?
}

/// What the newest record says of something.
private struct Newest<Value: Equatable & Sendable>: Equatable, Sendable {
    private let age: RecordAge
    let value: Value

    init(_ age: RecordAge, _ value: Value) { (self.age, self.value) = (age, value) }

    /// Whether it takes the place of another one: as the newer one, or, where one record was told in two ways, as always
    /// the same one of them.
    func supersedes(_ other: Newest?) -> Bool {
        guard let other else { return true }
        if age != other.age { return other.age < age }
        return value != other.value && "\(other.value)" < "\(value)"
    }
}

/// Where a record stands in the order of records.
private struct RecordAge: Hashable, Comparable, Sendable {
    private let start: Timestamp
    private let id: String

    init(_ record: BuildRecord) { (start, id) = (record.start, record.id) }

    static func < (one: RecordAge, other: RecordAge) -> Bool {
        (one.start, one.id) < (other.start, other.id)
    }
}

extension BuildRecord {
    /// Whether the image was built elsewhere: whatever is built here has a layer of configuration.
    public var isExternal: Bool { !layers.isEmpty && layers.allSatisfy { $0.kind == .base } }

    /// Where the image was published, without build tag or digest; nil where it was not.
    public var location: String? { reference.map { String($0[..<($0.lastIndex(of: "@") ?? $0.endIndex)]) } }

    /// Whether it comes before another record: by start, then by id.
    public func isBefore(_ other: BuildRecord) -> Bool { RecordAge(self) < RecordAge(other) }

    /// Whether it takes the place of another record as the newest; of two tellings of one record, always the same one does.
    public func supersedes(_ other: BuildRecord?) -> Bool {
        Newest(RecordAge(self), self).supersedes(other.map { Newest(RecordAge($0), $0) })
    }
}
