// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Puts records into the journal first and into the notes as soon as that is possible.
///
/// The journal is written before anything is told to anybody; the notes may fail for as long as they like. Of several
/// processes only the one that leads writes either; what another one still has in its journal waits until that leads.
struct RecordKeeper: Sendable {
    let store: any RecordStore
    let journal: Journal
    let events: @Sendable (PassEvent) -> Void
    let leadership: Leadership?

    /// Keeps entries; when this returns they survive a crash.
    ///
    /// - Throws: when the journal cannot be written and the notes do not take the entries either; `BuildFailure` of class
    ///   `cancelled` where the lease is lost.
    func keep(_ entries: [RecordEntry]) async throws {
        if entries.isEmpty { return }
        let counter = try await leadership?.confirm()
        let entries = entries.map { entry in
            var entry = entry
            entry.record.lease = counter
            return entry
        }
        do {
            try await journal.append(entries)
        } catch {
            // A full disk stops the journal; the notes may be on another one.
            events(.warning("the journal cannot be written: \(redacted("\(error)"))"))
            do { try await store.append(entries) } catch _ { throw error }
        }
    }

    /// Sends what the journal holds to the notes; tells how many entries remain.
    ///
    /// - Throws: when the journal cannot be read.
    func send() async throws -> Int {
        let pending = try await journal.pending()
        guard !pending.isEmpty else { return 0 }
        if let leadership, (try? await leadership.confirm()) == nil { return pending.count }
        do {
            try await store.append(pending)
            // What is sent and still in the journal is sent again, and not written twice.
            try await journal.remove(ids: Set(pending.map(\.record.id)))
            return 0
        } catch {
            guard pending.count == 1 else { return try await sendSingly(pending) }
            events(.warning("\(pending.count) records wait in the journal: \(redacted("\(error)"))"))
            return pending.count
        }
    }

    /// Sends entries one by one after they failed together, so that one that is refused does not hold up the rest.
    private func sendSingly(_ pending: [RecordEntry]) async throws -> Int {
        var sent: Set<String> = []
        var failure: String?
        for entry in pending {
            do {
                try await store.append([entry])
                sent.insert(entry.record.id)
            } catch {
                failure = failure ?? redacted("\(error)")
                // When not even the first goes through, it is the way that is blocked, not an entry.
                if sent.isEmpty, entry == pending.first { break }
            }
        }
        do {
            if !sent.isEmpty { try await journal.remove(ids: sent) }
        } catch {
            // What is sent and still in the journal is sent again, and not written twice.
            events(.warning("the journal cannot be emptied: \(redacted("\(error)"))"))
            return pending.count
        }
        let rest = pending.count - sent.count
        if let failure { events(.warning("\(rest) records wait in the journal: \(failure)")) }
        return rest
    }
}

/// Sends what the journal holds while a pass goes on: a remote that does not answer holds up no build.
actor RecordSender {
    private let keeper: RecordKeeper
    private var task: Task<Void, Never>?
    private var isRung = false

    init(_ keeper: RecordKeeper) { self.keeper = keeper }

    /// Has it send soon what is in the journal now.
    func ring() {
        isRung = true
        if task == nil { task = Task { await send() } }
    }

    private func send() async {
        while isRung, !Task.isCancelled {
            isRung = false
            do {
                _ = try await keeper.send()
            } catch {
                keeper.events(.warning("records wait in the journal: \(redacted("\(error)"))"))
            }
        }
        task = nil
    }

    /// Waits for what is being sent; ends it where the caller is cancelled.
    func finish() async {
        guard let task else { return }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
