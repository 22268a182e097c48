// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Puts records into the journal first and into the notes as soon as that is possible.
///
/// The journal is written before anything is told to anybody; the notes may fail for as long as they like.
struct RecordKeeper: Sendable {
    let store: any RecordStore
    let journal: Journal
    let events: @Sendable (PassEvent) -> Void

    /// Keeps entries; when this returns they survive a crash.
    func keep(_ entries: [RecordEntry]) async throws {
        try await journal.append(entries)
    }

    /// Sends what the journal holds to the notes; tells how many entries remain.
    func send() async throws -> Int {
        let pending = try await journal.pending()
        guard !pending.isEmpty else { return 0 }
        do {
            try await store.append(pending)
            // What is sent and still in the journal is sent again, and not written twice.
            try await journal.remove(ids: Set(pending.map(\.record.id)))
            return 0
        } catch {
            events(.warning("\(pending.count) records wait in the journal: \(redacted("\(error)"))"))
            return pending.count
        }
    }
}
