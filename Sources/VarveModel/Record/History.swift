// SPDX-License-Identifier: Apache-2.0

/// What planning needs to know of all records of a repository.
///
/// It grows with the images and their layers, not with the records: of each image it keeps the newest two. Records can
/// be taken in any order, and more than once.
public struct History: Equatable, Sendable {
    /// The newest record of each image.
    public private(set) var latest: [ImageName: BuildRecord] = [:]
    /// The newest record of each image that stands for a published build.
    public private(set) var lastGood: [ImageName: BuildRecord] = [:]
    private var folders: [RepositoryPath: FolderState] = [:]
    private var bases: [BaseName: FoundBase] = [:]
    private var finished: Set<LayerKey> = []

    /// Takes records.
    public init(_ records: some Sequence<BuildRecord> = []) {
        for record in records { add(record) }
    }

    /// Takes one more record.
    public mutating func add(_ record: BuildRecord) {
        if record.isNewer(than: latest[record.image]) { latest[record.image] = record }
        let age = RecordAge(record)
        if folders[record.folder].map({ $0.age < age }) ?? true {
            folders[record.folder] = FolderState(age: age, invalid: record.status == .invalid ? record.tree : nil)
        }
        if record.status == .built || record.status == .adopted, record.isNewer(than: lastGood[record.image]) {
            lastGood[record.image] = record
        }
        for layer in record.layers where layer.action != .failed { finished.insert(layer.key) }
        noteBases(of: record, age)
    }

    /// Whether there is no record at all.
    public var isEmpty: Bool { latest.isEmpty }

    /// The newest record and the newest good one of each image, in order.
    public var newest: [BuildRecord] {
        let older = lastGood.values.filter { $0.id != latest[$0.image]?.id }
        return (older + latest.values).sorted { RecordAge($0) < RecordAge($1) }
    }

    /// Whether it is recorded that a folder, as it is now, cannot be read.
    ///
    /// Asked by folder, not by name: two folders that claim one name are both invalid.
    public func knowsAsInvalid(_ definition: InvalidDefinition) -> Bool {
        folders[definition.folder]?.invalid == definition.tree
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
            named.map({ $0.age < unnamed.age }) ?? true
        else { return named?.image }
        return unnamed.image
    }

    private mutating func noteBases(of record: BuildRecord, _ age: RecordAge) {
        for platform in record.builtPlatforms.isEmpty ? [nil] : record.builtPlatforms.map(Optional.some) {
            guard let own = platform.map({ record.base(for: $0) }) ?? record.base else { continue }
            for base in [own] + (own.images ?? []) {
                guard let manifest = base.manifestDigest, let config = base.configDigest,
                    let reference = try? ImageReference(base.reference)
                else { continue }
                let name = BaseName(reference: reference, platform: platform)
                guard bases[name].map({ $0.age < age }) ?? true else { continue }
                bases[name] = FoundBase(
                    age: age,
                    image: ResolvedImage(
                        reference: base.reference, manifestDigest: manifest, configDigest: config,
                        cudaVersion: base.cudaVersion))
            }
        }
    }
}

/// What the newest record of a folder says of it.
private struct FolderState: Equatable, Sendable {
    var age: RecordAge
    /// The tree that could not be read.
    var invalid: ObjectID?
}

/// A base as records name it.
private struct BaseName: Hashable, Sendable {
    var reference: ImageReference
    /// Nil where the record does not say.
    var platform: Platform?
}

private struct FoundBase: Equatable, Sendable {
    var age: RecordAge
    var image: ResolvedImage
}

/// Where a record stands in the order of records.
struct RecordAge: Hashable, Comparable, Sendable {
    var start: Timestamp
    var id: String

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

    fileprivate func isNewer(than other: BuildRecord?) -> Bool {
        guard let other else { return true }
        return RecordAge(other) < RecordAge(self)
    }
}
