// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveModel

/// What lookups in registries learn and later ones use: what references meant, tokens, and which hosts asked to wait.
///
/// One for a process. All of it can be lost at any moment; then more is asked.
public final class RegistryMemory: Sendable {
    /// What a reference meant, and the digest of the manifest or index that it stood on.
    struct Meaning: Sendable {
        var top: Digest
        var image: ResolvedImage
    }

    /// For whom an authorization is.
    struct Asker: Hashable, Sendable {
        var host: String
        var repository: String
        var credentials: RegistryCredentials
    }

    /// What is sent as `Authorization`.
    struct Authorization: Sendable {
        var header: String
        /// From when on it is not used any more; nil for what does not end.
        var end: ContinuousClock.Instant?
    }

    private struct State {
        var meanings: [PlatformReference: Meaning] = [:]
        var authorizations: [Asker: Authorization] = [:]
        var waits: [String: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    /// So many entries of a kind are kept; then all of that kind are forgotten.
    private static let limit = 4_096

    /// A memory of nothing.
    public init() {}

    func meaning(of reference: PlatformReference) -> Meaning? { state.withLock { $0.meanings[reference] } }

    func keep(_ meaning: Meaning, of reference: PlatformReference) {
        state.withLock { state in
            if state.meanings.count >= Self.limit { state.meanings = [:] }
            state.meanings[reference] = meaning
        }
    }

    func authorization(for asker: Asker) -> String? {
        state.withLock { state in
            guard let kept = state.authorizations[asker] else { return nil }
            if let end = kept.end, end <= ContinuousClock().now { return nil }
            return kept.header
        }
    }

    /// Keeps what an asker is to send; nil forgets it.
    func keep(_ authorization: Authorization?, for asker: Asker) {
        state.withLock { state in
            if state.authorizations.count >= Self.limit { state.authorizations = [:] }
            state.authorizations[asker] = authorization
        }
    }

    /// Until when a host is not to be asked; nil where it can be.
    func wait(at host: String) -> ContinuousClock.Instant? {
        state.withLock { state in
            guard let end = state.waits[host], end > ContinuousClock().now else { return nil }
            return end
        }
    }

    func keep(wait: Duration, at host: String) {
        state.withLock { state in
            let now = ContinuousClock().now
            state.waits = state.waits.filter { $0.value > now }
            state.waits[host] = now + wait
        }
    }
}
