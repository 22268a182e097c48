// SPDX-License-Identifier: Apache-2.0

/// Keeps what was done: the two notes refs and the layer descriptions.
public protocol RecordStore: Sendable {
    /// Brings the local mirror up to date with the remote, where there is one.
    ///
    /// - Throws: when the remote cannot be reached; what is known locally can still be read.
    func fetch() async throws

    /// What all state records come to; cheap to ask for again.
    ///
    /// - Throws: when they cannot be read.
    func history() async throws -> History

    /// What is another one whenever the state records are others; nil where there are none.
    ///
    /// - Throws: when that cannot be read.
    func revision() async throws -> String?

    /// State records that the refs hold, ordered by start, then id. Lines that do not parse are counted, not lost.
    ///
    /// Reads them all anew: nothing that a daemon should do at each pass.
    ///
    /// - Throws: when they cannot be read.
    func records(_ filter: RecordFilter) async throws -> RecordSet

    /// Descriptions of layers that were kept earlier, by key; keys without one are absent.
    func descriptions(of keys: [LayerKey]) async throws -> [LayerKey: LayerDescription]

    /// Writes entries to the refs in one commit a ref, by compare-and-swap, and to the remote first where there is one.
    /// A line that is already there is not written again. After it returns, the entries are where they belong.
    ///
    /// - Throws: when the remote cannot be reached or refuses; nothing is half written.
    func append(_ entries: [RecordEntry]) async throws
}

extension RecordStore {
    /// All state records that the refs hold, ordered by start, then id.
    public func records() async throws -> RecordSet { try await records(.all) }
}

/// Which state records are wanted.
public enum RecordFilter: Hashable, Sendable {
    /// All.
    case all
    /// Those of one image.
    case image(ImageName)
    /// Those whose id begins so.
    case build(String)

    /// A text that stands in the line of every record that is wanted; nil where there is none.
    public var text: String? {
        switch self {
        case .all: nil
        case .image(let name): name.value
        case .build(let id): id
        }
    }

    /// Whether a record is wanted.
    public func matches(_ record: BuildRecord) -> Bool {
        switch self {
        case .all: true
        case .image(let name): record.image == name
        case .build(let id): record.id.hasPrefix(id)
        }
    }
}

/// The state records of a repository.
public struct RecordSet: Sendable {
    /// The records, ordered by start, then id.
    public var records: [BuildRecord]
    /// How many lines could not be read: of a newer version, or damaged by another writer.
    public var unreadable: Int

    /// The state records of a repository, put in order.
    public init(records: [BuildRecord], unreadable: Int = 0) {
        self.records = records.sorted { $0.isBefore($1) }
        self.unreadable = unreadable
    }
}

/// One event to be written: a line for people, a record for machines, and the descriptions of its layers.
public struct RecordEntry: Codable, Hashable, Sendable {
    /// The commits on which the log line is noted.
    public var commits: [ObjectID]
    /// The line for people; one line, redacted.
    public var line: String
    /// The tree on which the state record is noted.
    public var tree: ObjectID
    /// The record; its JSON stands on one line of the note.
    public var record: BuildRecord
    /// Descriptions of the layers that were built, to be kept by key.
    public var descriptions: [LayerDescription]

    /// One event to be written.
    public init(
        commits: [ObjectID], line: String, tree: ObjectID, record: BuildRecord, descriptions: [LayerDescription]
    ) {
        self.commits = commits
        self.line = line
        self.tree = tree
        self.record = record
        self.descriptions = descriptions
    }
}

/// What a layer's content says, a line each, so that a later plan can name what changed.
public struct LayerDescription: Codable, Hashable, Sendable {
    /// The key of the layer.
    public var key: LayerKey
    /// The recipe version that the key was made with.
    public var recipe: Int
    /// The content, a line each; no line holds a line break.
    public var lines: [String]

    /// A layer's content in words.
    public init(key: LayerKey, recipe: Int, lines: [String]) {
        self.key = key
        self.recipe = recipe
        self.lines = lines
    }
}
