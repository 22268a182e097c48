// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
public import VarveDefinition
public import VarveModel
public import VarveReconcile

/// Tells others when an image of a repository fails, recovers, or has a definition that cannot be used.
///
/// Only changes are told, each once: what was last seen of an image is kept in the state directory, with what could not
/// be delivered yet. Taking an event costs a pass nothing; sending is `run`'s, at its own pace for each channel. A
/// delivery may come twice where a crash falls between the answer and the file; its id is the same.
public final class Notifier: Sendable {
    /// What became of an attempt to deliver.
    public enum Outcome: String, CaseIterable, Hashable, Sendable {
        case sent
        /// It is tried again.
        case retried
        /// The receiver refused it, too many attempts failed, or too many were waiting.
        case dropped
    }

    /// How and how often deliveries are tried.
    public struct Pace: Sendable {
        /// The waits between attempts.
        public var retry: RetryPolicy
        /// How many attempts there are.
        public var attempts: Int
        /// How long one attempt may take.
        public var timeout: Duration

        /// By default twelve attempts within about half an hour, of 20 s each.
        public init(
            retry: RetryPolicy = RetryPolicy(first: .seconds(1), limit: .seconds(300)), attempts: Int = 12,
            timeout: Duration = .seconds(20)
        ) {
            self.retry = retry
            self.attempts = attempts
            self.timeout = timeout
        }
    }

    private struct State {
        var outbox: Outbox
        /// Whether the outbox differs from the file.
        var isChanged = false
        /// Definitions that the running pass cannot use and that no record was written for yet.
        var unusable: [String: InvalidDefinition] = [:]
    }

    private let channels: [NotificationChannel]
    private let bells: [String: Bell]
    private let changed = Bell()
    private let repository: String
    private let host: String
    private let path: String
    private let pace: Pace
    private let now: @Sendable () -> Timestamp
    private let warn: @Sendable (String) -> Void
    private let observe: @Sendable (NotificationSettings.Kind, Outcome) -> Void
    private let isNew: Bool
    private let state: Mutex<State>

    /// A notifier for the images of one repository.
    ///
    /// - Parameters:
    ///   - settings: all that the configuration has; those for other repositories are left out.
    ///   - repository: the address as the configuration gives it.
    ///   - directory: where it keeps what it has told.
    ///   - host: this host, as records name it.
    ///   - path: makes the absolute path of a file of the configuration.
    ///   - warn: takes what a person should know; no secret is in it.
    ///   - observe: is told of each attempt, for metrics.
    /// - Throws: `SecretFileError`, `NotificationError`.
    public init(
        _ settings: [NotificationSettings], repository: String, directory: StateDirectory, host: String,
        pace: Pace = Pace(), path: (String) -> String, now: @escaping @Sendable () -> Timestamp,
        warn: @escaping @Sendable (String) -> Void,
        observe: @escaping @Sendable (NotificationSettings.Kind, Outcome) -> Void = { _, _ in }
    ) throws {
        let channels = try settings.compactMap {
            try NotificationChannel($0, repository: repository, path: path)
        }
        self.channels = channels
        bells = Dictionary(channels.map { ($0.key, Bell()) }) { first, _ in first }
        self.repository = redacted(repository)
        self.host = host
        self.path = directory.notifications
        self.pace = pace
        self.now = now
        self.warn = warn
        self.observe = observe
        let kept = Outbox.read(self.path)
        isNew = kept == nil
        var outbox = kept ?? Outbox()
        outbox.keepOnly(channels: Set(channels.map(\.key)))
        state = Mutex(State(outbox: outbox))
    }

    /// Whether anybody is told anything.
    public var hasChannels: Bool { !channels.isEmpty }

    // MARK: Taking

    /// Takes the records that the repository has, so that what others wrote is neither told again nor missed when it changes.
    ///
    /// Others tell what they wrote. At the very first start nothing is told.
    ///
    /// - Parameter isStart: whether this is before the first pass: what this host wrote in its last run and did not tell is
    ///   told then.
    public func learn(_ records: [BuildRecord], isStart: Bool = false) {
        guard !channels.isEmpty else { return }
        var latest: [String: BuildRecord] = [:]
        for record in records where Observation(record) != nil { latest[record.image.value] = record }
        for record in latest.values.sorted(by: { $0.isBefore($1) }) {
            guard let seen = Observation(record) else { continue }
            take(seen, isTold: isStart && !isNew && record.host == host)
        }
    }

    /// Takes an event of a pass; never waits.
    public func note(_ event: PassEvent) {
        guard !channels.isEmpty else { return }
        switch event {
        case .invalid(let definition): state.withLock { $0.unusable[definition.name] = definition }
        case .imageFinished(let record):
            state.withLock { $0.unusable[record.image.value] = nil }
            if let seen = Observation(record) { take(seen, isTold: true) }
        case .finished(let result):
            let unusable = state.withLock { state in
                defer { state.unusable = [:] }
                // A definition that was broken before, and has its record, is no news.
                return state.unusable.values.filter { state.outbox.known.images[$0.name]?.state != .invalid }
            }
            for definition in unusable { take(Observation(definition, commit: result.commit), isTold: true) }
        default: return
        }
    }

    private func take(_ seen: Observation, isTold: Bool) {
        let dropped = state.withLock { state -> [Outbox.Delivery] in
            let before = state.outbox.known
            let change = state.outbox.known.take(seen)
            if state.outbox.known != before { state.isChanged = true }
            guard let change, isTold else { return [] }
            let notification = Notification(
                id: seen.id, event: change.event, isRepeated: change.isRepeated, image: seen.image,
                repository: repository, commit: seen.commit, failureClass: seen.failureClass, layer: seen.layer,
                message: seen.message, tail: seen.tail, reference: seen.reference, time: now())
            return channels.filter { $0.takes(notification) }
                .compactMap { state.outbox.add(Outbox.Delivery(channel: $0.key, notification: notification)) }
        }
        changed.ring()
        for delivery in dropped { give(up: delivery, "too many are waiting") }
    }

    // MARK: Sending

    /// Sends what there is to send until the task is cancelled.
    public func run() async {
        guard !channels.isEmpty else { return }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        // A client that is shut down is all that it could throw for.
        try? await HTTPClient.withHTTPClient(configuration: configuration) { client in
            await withDiscardingTaskGroup { group in
                for channel in channels { group.addTask { await self.serve(channel, client) } }
                while !Task.isCancelled {
                    keep()
                    for bell in bells.values { bell.ring() }
                    await changed.wait(atMost: .seconds(3_600))
                }
                group.cancelAll()
            }
        }
        keep()
    }

    /// Writes the file where it is out of date; before anything is sent, so that a restart does not tell it again.
    private func keep() {
        guard
            let outbox = state.withLock({ state -> Outbox? in
                defer { state.isChanged = false }
                return state.isChanged ? state.outbox : nil
            })
        else { return }
        do { try outbox.write(path) } catch { warn("what was told of images cannot be kept: \(redacted("\(error)"))") }
    }

    private func serve(_ channel: NotificationChannel, _ client: HTTPClient) async {
        guard let bell = bells[channel.key] else { return }
        while !Task.isCancelled {
            await bell.wait(atMost: .seconds(3_600))
            while !Task.isCancelled, let delivery = next(for: channel) {
                let cause = await deliver(delivery.notification, to: channel, client)
                guard !Task.isCancelled || cause == nil else { return }
                if let cause { give(up: delivery, cause) }
                state.withLock { state in
                    state.outbox.remove(delivery)
                    state.isChanged = true
                }
                changed.ring()
            }
        }
    }

    private func next(for channel: NotificationChannel) -> Outbox.Delivery? {
        state.withLock { $0.outbox.waiting.first { $0.channel == channel.key } }
    }

    /// Tries until the receiver takes it; tells why it did not, where it is given up.
    private func deliver(_ notification: Notification, to channel: NotificationChannel, _ client: HTTPClient) async
        -> String?
    {
        var attempt = 1
        while true {
            let answer = await send(notification, to: channel, client)
            switch answer {
            case .accepted:
                observe(channel.settings.kind, .sent)
                return nil
            case .refused(let cause): return cause
            case .failed(let cause, let wait):
                guard attempt < pace.attempts else { return "\(cause), after \(attempt) attempts" }
                observe(channel.settings.kind, .retried)
                let pause = max(pace.retry.wait(after: attempt), min(wait ?? .zero, .seconds(900)))
                guard (try? await Task.sleep(for: pause)) != nil else { return cause }
                attempt += 1
            }
        }
    }

    private func give(up delivery: Outbox.Delivery, _ cause: String) {
        guard let channel = channels.first(where: { $0.key == delivery.channel }) else { return }
        observe(channel.settings.kind, .dropped)
        let told = delivery.notification
        warn("\(told.image): '\(told.event.rawValue)' was not told to \(channel.name): \(cause)")
    }

    private enum Answer {
        case accepted
        case refused(String)
        case failed(String, wait: Duration?)
    }

    private func send(
        _ notification: Notification, to channel: NotificationChannel, _ client: HTTPClient
    ) async -> Answer {
        do {
            let parts = try channel.request(notification)
            var request = HTTPClientRequest(url: parts.url)
            request.method = .POST
            for (name, value) in parts.headers.sorted(by: { $0.key < $1.key }) {
                request.headers.add(name: name, value: value)
            }
            request.body = .bytes(ByteBuffer(bytes: parts.body))
            let seconds = max(1, pace.timeout.components.seconds)
            let response = try await client.execute(request, timeout: .seconds(seconds))
            let status = Int(response.status.code)
            let wait = response.headers.first(name: "Retry-After").flatMap(Int.init).map { Duration.seconds($0) }
            // What it says beside its status does not matter, and could be without end.
            if (200..<300).contains(status) { return .accepted }
            let isPassing = status == 408 || status == 429 || status >= 500 || (status == 403 && wait != nil)
            return isPassing ? .failed("status \(status)", wait: wait) : .refused("status \(status)")
        } catch let error as HTTPClientError {
            // The client's errors are words of its own, without the address.
            return .failed(error.shortDescription, wait: nil)
        } catch {
            return .failed("it cannot be reached", wait: nil)
        }
    }
}
