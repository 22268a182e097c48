// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Whether this process leads a repository: of all that work on it, the one that holds the lease may build, publish and
/// record.
///
/// No clock is compared with another one. A follower takes the lease only after it has seen the *same* value for the
/// length that the value itself names, by its own clock. The holder believes in its lease for two thirds of that, from
/// the moment at which it began to write the value, which is before anybody can have seen it. So two that believe are
/// impossible, however slow the network and however long a process was stopped, while the clocks run at speeds less than
/// a third apart and nobody deletes the reference.
public actor Leadership {
    /// What a piece of work under the lease came to.
    public enum Outcome<Value: Sendable>: Sendable {
        /// It was done under the lease.
        case led(Value)
        /// It was not begun: the named process leads.
        case held(by: String)
        /// It was stopped: the lease went to the named process, or could not be renewed in time.
        case lost(to: String)
    }

    private let store: any LeaseStore
    private let settings: LeaseSettings
    private let wanted = Bell()
    private var knowledge: LeaseKnowledge
    private var isWanted = false
    private var announced: String?
    private var tookOver: Duration?
    /// How many writes have succeeded: what was read before the last one is out of date.
    private var generation = 0

    /// The leadership of one repository.
    public init(_ store: any LeaseStore, settings: LeaseSettings) {
        self.store = store
        self.settings = settings
        knowledge = LeaseKnowledge(settings)
    }

    // MARK: What is known without asking

    /// The counter of the lease that this process holds by its clock; nil where it holds none.
    public var counter: Int? {
        guard let held = knowledge.held, settings.now() < held.until else { return nil }
        return held.lease.counter
    }

    /// Who leads in this process's place; nil where it may act, or cannot tell.
    public func leader() async -> String? {
        guard counter == nil, case .held(let holder)? = try? await look().standing else { return nil }
        return holder
    }

    /// Whether the lease came from another process not long ago, so that something of that may still be under way.
    var isFresh: Bool {
        guard counter != nil, let tookOver else { return false }
        return settings.now() < tookOver + settings.length * 10
    }

    /// Whether a leader is another one than was last told.
    func isNews(_ leader: String) -> Bool {
        defer { announced = leader }
        return announced != leader
    }

    // MARK: Reading and writing

    /// Reads the lease and notes since when it stands.
    private func look() async throws -> (value: LeaseValue?, standing: LeaseKnowledge.Standing) {
        var value: LeaseValue?
        var before: Int
        repeat {
            before = generation
            value = try await store.read()
        } while before != generation
        return (value, knowledge.see(value, at: settings.now()))
    }

    /// Replaces a value by a lease of this process.
    ///
    /// - Returns: Whether it did; then it holds the lease.
    private func write(_ counter: Int, over value: LeaseValue?) async throws -> Bool {
        let token = settings.makeToken()
        let (seconds, attoseconds) = settings.length.components
        let lease = Lease(
            counter: counter, holder: settings.holder, identity: settings.identity,
            length: Double(seconds) + Double(attoseconds) / 1e18, token: token)
        // Before it is sent: nobody can see it earlier. It is remembered even where no answer comes.
        let start = settings.now()
        knowledge.begin(token, at: start)
        let isNew = value?.lease?.identity != settings.identity
        guard let id = try await store.replace(value?.id, with: lease) else { return false }
        generation += 1
        knowledge.note(lease, id: id)
        if isNew { tookOver = start }
        return true
    }

    /// Takes the lease where it may be taken, and renews it where this process has it and it is no longer valid.
    ///
    /// - Returns: The holder, where that is somebody else.
    private func acquire() async throws -> String? {
        for _ in 0..<3 {
            let (value, standing) = try await look()
            let counter: Int
            switch standing {
            case .mine(let lease, let until):
                if settings.now() < until { return nil }
                counter = lease.counter
            case .free(let next): counter = next
            case .held(let holder): return holder
            }
            if try await write(counter, over: value), self.counter != nil { return nil }
        }
        return knowledge.mine == nil ? try await holder() : "a lease that takes longer to write than it lasts"
    }

    private func holder() async throws -> String {
        if case .held(let holder) = try await look().standing { return holder }
        return "another process"
    }

    // MARK: Working under the lease

    /// Does something under the lease, which is renewed for as long as that takes.
    ///
    /// Where the lease is lost on the way, the work is cancelled; what it returns or throws then counts for nothing.
    ///
    /// - Throws: what the body throws; what the store throws where the lease cannot be read or taken.
    public func lead<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Outcome<Value> {
        if let holder = try await acquire() {
            want(true)
            return .held(by: holder)
        }
        want(false)
        announced = nil
        return try await withThrowingTaskGroup(of: Outcome<Value>?.self) { group in
            group.addTask {
                let result: Result<Value, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                if await self.counter == nil { return .lost(to: await self.successor) }
                return .led(try result.get())
            }
            group.addTask { await self.renew() ? .lost(to: await self.successor) : nil }
            group.addTask { await self.watchValidity() ? .lost(to: await self.successor) : nil }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                guard case .lost? = finished else {
                    if let finished { return finished }
                    continue
                }
                group.cancelAll()
                while let rest = await group.nextResult() { _ = rest }
                want(true)
                return finished ?? .lost(to: successor)
            }
            throw CancellationError()
        }
    }

    private var successor: String { announced ?? "another process, or nobody: it could not be renewed in time" }

    /// Renews the lease at each third of its length.
    ///
    /// - Returns: True when the lease was lost, false when it is no longer needed.
    private func renew() async -> Bool {
        while !Task.isCancelled {
            guard let held = knowledge.held else { return true }
            let third = Duration.seconds(held.lease.length) / 3
            do {
                try await settings.sleep(max(held.until - third - settings.now(), third / 8))
                if try await !renewNow() { return !Task.isCancelled }
            } catch {
                // The store is away: tried again until the lease is no longer valid, which the other watch tells.
                if Task.isCancelled { return false }
            }
        }
        return false
    }

    /// - Returns: Whether the lease is still this process's.
    private func renewNow() async throws -> Bool {
        guard let held = knowledge.mine else { return false }
        if try await write(held.lease.counter, over: LeaseValue(id: held.id, lease: held.lease)) { return true }
        // Perhaps it was a write of this process whose answer was lost that was quicker.
        let (value, standing) = try await look()
        switch standing {
        case .mine: return true
        case .held(let holder): announced = holder
        case .free: if value == nil { return try await putBack() }
        }
        return false
    }

    /// Writes the lease of this process anew where somebody has deleted it: a process that never saw it takes it else.
    private func putBack() async throws -> Bool {
        guard let counter else { return false }
        if try await write(counter, over: nil) { return true }
        // Perhaps another task of this process was quicker.
        if case .mine = try await look().standing { return self.counter != nil }
        return false
    }

    /// - Returns: True when the lease ran out, false when it is no longer needed.
    private func watchValidity() async -> Bool {
        while !Task.isCancelled {
            guard let held = knowledge.held else { return true }
            let rest = held.until - settings.now()
            if rest <= .zero { return true }
            do { try await settings.sleep(rest) } catch { return false }
        }
        return false
    }

    /// Reads the lease again; to be called after every wait and before every effect.
    ///
    /// - Returns: The counter, for the record.
    /// - Throws: `BuildFailure` of class `cancelled` where the lease is lost: what was running counts for nothing.
    @discardableResult
    public func confirm() async throws -> Int {
        do {
            let (value, standing) = try await look()
            if case .mine(let lease, let until) = standing {
                if settings.now() < until { return lease.counter }
                // Nobody has taken it meanwhile: as long as that is so it can be renewed.
                if try await write(lease.counter, over: value), let counter { return counter }
            } else if value == nil, try await !putBack() {
                // Somebody was quicker, or it is no longer valid.
                knowledge.forget()
            }
        } catch {
            // While it is valid, and nobody deletes it, nobody else can have taken it, whether or not it can be read.
        }
        if let counter { return counter }
        let winner = knowledge.mine == nil ? successor : "nobody yet"
        throw BuildFailure(.cancelled, message: "the lease is lost to \(winner)")
    }

    /// Gives the lease up, so that another process need not wait for its end.
    public func release() async {
        guard knowledge.hasWritten else { return }
        // A write whose answer nobody waited for may have come after the last one that is known.
        _ = try? await look()
        guard let held = knowledge.mine else { return }
        var lease = held.lease
        lease.isReleased = true
        lease.token = settings.makeToken()
        // From now on it is not believed in, whether or not others hear of it.
        knowledge.forget(writes: true)
        _ = try? await store.replace(held.id, with: lease)
    }

    // MARK: Waiting for the lease

    /// Says whether this process has something to do that it may not do.
    func want(_ isWanted: Bool) {
        self.isWanted = isWanted
        if isWanted { wanted.ring() }
    }

    /// Waits until the lease can be taken, and takes it.
    ///
    /// - Throws: `CancellationError`; what the store throws.
    func waitForLease() async throws {
        while try await acquire() != nil { try await settings.sleep(pause) }
    }

    /// Watches the lease for as long as this process has something to do that it may not do, takes it when that is
    /// possible, and calls back then; runs until the task is cancelled.
    public func watch(_ taken: @escaping @Sendable () -> Void) async {
        while !Task.isCancelled {
            if !isWanted { await wanted.wait(atMost: .seconds(3_600)) }
            guard isWanted, (try? await settings.sleep(pause)) != nil else { continue }
            do {
                guard isWanted, try await acquire() == nil else { continue }
            } catch {
                continue
            }
            isWanted = false
            taken()
        }
    }

    /// The time to the next look.
    private var pause: Duration { max(settings.length / 8, .milliseconds(10)) }
}
