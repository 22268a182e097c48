// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import VarveModel

/// What was done and is not in the notes yet: one JSON object a line, forced to disk before `append` returns.
///
/// An entry leaves the journal only after the record store has it. A crash in the middle of an append leaves half a line,
/// which was never promised to anybody and is dropped at the next reading.
public actor Journal {
    private let path: String
    private let encoder: JSONEncoder

    /// A journal in a file; the folder must exist, the file need not.
    public init(path: String) {
        self.path = path
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The entries that are not in the notes yet, oldest first.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when the file cannot be read.
    public func pending() throws -> [RecordEntry] {
        let decoder = JSONDecoder()
        return try StateFile.read(path).split(separator: 0x0a).compactMap { line in
            try? decoder.decode(RecordEntry.self, from: Data(line))
        }
    }

    /// Adds entries; they are on disk when this returns.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when the disk is full or refuses.
    public func append(_ entries: [RecordEntry]) throws {
        guard !entries.isEmpty else { return }
        // A line break first: half a line that a crash left must not swallow this entry.
        var bytes: [UInt8] = [0x0a]
        for entry in entries { bytes += Array(try encoder.encode(entry)) + [0x0a] }
        try StateFile.append(bytes, to: path)
    }

    /// Drops the entries of these record ids, which the record store has by now.
    ///
    /// A whole line that cannot be read, for instance of a newer version, is kept for who can read it.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when the file cannot be replaced; the entries are then kept.
    public func remove(ids: Set<String>) throws {
        let decoder = JSONDecoder()
        let rest = try StateFile.read(path).split(separator: 0x0a).filter { line in
            guard let entry = try? decoder.decode(RecordEntry.self, from: Data(line)) else {
                return line.first == 0x7b && line.last == 0x7d
            }
            return !ids.contains(entry.record.id)
        }
        try StateFile.replace(path, with: rest.flatMap { $0 + [0x0a] })
    }
}
