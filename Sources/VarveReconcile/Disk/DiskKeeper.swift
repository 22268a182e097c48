// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel

/// Keeps room on the disk of a state directory: lets a build begin only where there is some, and collects caches before they
/// fill the disk.
///
/// One for all repositories of a state directory. While it collects, no image can begin to be built; what is being built
/// loses nothing that it stands on.
public actor DiskKeeper {
    private let stateDirectory: String
    private let limits: DiskLimits
    private let caches: any CacheStore
    private let now: @Sendable () -> Timestamp
    private let room: @Sendable () throws -> DiskRoom
    private let uses = LayersInUse()

    private var isCollecting = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var lastCollection: ContinuousClock.Instant?
    private var isShort = false
    /// The shortest time between two collections that nothing but time asks for.
    private static let interval = Duration.seconds(600)
    /// The shortest time between two collections that a lack of room asks for.
    private static let haste = Duration.seconds(10)

    /// A keeper of one state directory.
    ///
    /// - Parameter room: what is free; nil asks the file system.
    public init(
        stateDirectory: String, limits: DiskLimits, caches: any CacheStore, now: @escaping @Sendable () -> Timestamp,
        room: (@Sendable () throws -> DiskRoom)? = nil
    ) {
        self.stateDirectory = stateDirectory
        self.limits = limits
        self.caches = caches
        self.now = now
        self.room = room ?? { try DiskRoom(of: stateDirectory) }
    }

    /// Takes the layers of an image that is about to be built: they stay until `LayerUse.end()`.
    ///
    /// Waits while a collection runs.
    public func use(_ keys: Set<LayerKey>) async -> LayerUse {
        await untilCollected()
        return uses.begin(keys)
    }

    /// Returns when there is room to build a layer; collects where there is not.
    ///
    /// Asked once an image, before its first layer that must be built: an image that has begun is finished.
    ///
    /// - Parameters:
    ///   - key: The layer's key.
    ///   - warn: is told once that there is no room, and once that there is some again.
    /// - Throws: `BuildFailure` of class `diskFull` when there is none even so; worth trying again later.
    public func admit(_ key: LayerKey, warn: @Sendable (String) -> Void) async throws {
        guard !uses.hasRoom(key) else { return }
        await untilCollected()
        guard let lack = try lack() else { return noteRoom(for: key, warn) }
        if lastCollection.map({ ContinuousClock().now - $0 > Self.haste }) ?? true {
            do {
                _ = try await collect(isDryRun: false)
            } catch let failure as BuildFailure where failure.failureClass != .cancelled {
                warn("caches could not be collected: \(failure.message)")
            }
        }
        guard let rest = try self.lack() else { return noteRoom(for: key, warn) }
        if !isShort {
            isShort = true
            warn(
                "no room for builds in '\(stateDirectory)': \(rest); what is due waits until there is (before: \(lack))"
            )
        }
        // Without figures, which change: the same failure is recorded once.
        throw BuildFailure(
            .diskFull,
            message: "failed to find room for a build: less than the reserve of \(sizeText(limits.reserve)) "
                + "(disk.reserve) is free in '\(stateDirectory)', and nothing that is not needed is left there")
    }

    /// Collects what is over the budget, unless that was done a short time ago.
    public func tidy(warn: @Sendable (String) -> Void) async {
        if let last = lastCollection, ContinuousClock().now - last < Self.interval { return }
        do {
            _ = try await collect(isDryRun: false)
        } catch is CancellationError {
            return
        } catch {
            if !Task.isCancelled { warn("caches could not be collected: \(redacted("\(error)"))") }
        }
    }

    /// Collects what need not be kept.
    ///
    /// That is what crashes left, logs that are too many or too old, and of the caches what is over their budget or keeps the
    /// reserve from being free, oldest use first. What is defined or published stays.
    ///
    /// - Parameter isDryRun: whether this is only told.
    /// - Throws: when the caches cannot be read or written.
    public func collect(isDryRun: Bool) async throws -> CollectionReport {
        await untilCollected()
        isCollecting = true
        defer {
            isCollecting = false
            let waiting = waiting
            self.waiting = []
            for continuation in waiting { continuation.resume() }
        }
        lastCollection = ContinuousClock().now
        let inUse = uses.keys
        let isQuiet = inUse == nil
        if isQuiet, !isDryRun { try await caches.removeLeftovers() }
        let logs = LogFiles(stateDirectory: stateDirectory)
        let moment = now()
        let collection = Collection(
            items: try await caches.items(), needed: NeededLayers.read(in: stateDirectory, now: moment),
            inUse: inUse ?? [], isQuiet: isQuiet, now: moment)
        let before = try room()
        var report = CollectionReport(free: before.bytes, limits: limits, isDryRun: isDryRun)
        report.note(collection.items + logs.items())
        let outdated = collection.leftovers + logs.outdated(now: moment)
        // Without room for new files, any number of bytes may be too few.
        let lacksFiles = before.files.map { $0 < limits.files } ?? false
        let goal = lacksFiles ? Int.max : max(collection.bytes - limits.cache, limits.reserve - before.bytes)
        var victims = outdated + collection.victims(toFree: goal)
        if !isDryRun {
            logs.remove(outdated)
            try await caches.remove(victims)
            // What freed less than its size, for instance as a second name of what is published.
            if try lack() != nil {
                let rest = collection.victims(toFree: .max).filter { !victims.contains($0) }
                try await caches.remove(rest)
                victims += rest
            }
            let left = Set(try await caches.items().map(\.id))
            victims.removeAll { left.contains($0.id) }
            report.free = try room().bytes
        }
        report.noteRemoved(victims, of: collection)
        return report
    }

    private func lack() throws -> String? { limits.lack(in: try room()) }

    private func noteRoom(for key: LayerKey, _ warn: (String) -> Void) {
        uses.setRoom(key)
        if isShort { warn("there is room for builds in '\(stateDirectory)' again") }
        isShort = false
    }

    private func untilCollected() async {
        while isCollecting { await withCheckedContinuation { waiting.append($0) } }
    }

    /// Keeps which layers a repository needs, as a pass has found it.
    public func note(_ keys: Set<LayerKey>, of state: StateDirectory) { NeededLayers.write(keys, to: state.layers) }
}

/// The layers of one image that is being built.
public struct LayerUse: Sendable {
    fileprivate let id: Int
    fileprivate let owner: LayersInUse

    /// Gives them back.
    public func end() { owner.end(id) }
}

/// The layers of all images that are being built.
private final class LayersInUse: Sendable {
    private struct Use {
        var keys: Set<LayerKey>
        var hasRoom = false
    }

    private let uses = Mutex<(next: Int, open: [Int: Use])>((0, [:]))

    /// The layers; nil where nothing is being built.
    var keys: Set<LayerKey>? {
        uses.withLock { uses in
            uses.open.isEmpty ? nil : uses.open.values.reduce(into: []) { $0.formUnion($1.keys) }
        }
    }

    func begin(_ keys: Set<LayerKey>) -> LayerUse {
        uses.withLock { uses in
            uses.next += 1
            uses.open[uses.next] = Use(keys: keys)
            return LayerUse(id: uses.next, owner: self)
        }
    }

    func end(_ id: Int) { uses.withLock { $0.open[id] = nil } }

    /// Whether an image with a layer was let in.
    func hasRoom(_ key: LayerKey) -> Bool {
        uses.withLock { $0.open.values.contains { $0.hasRoom && $0.keys.contains(key) } }
    }

    /// Notes that the images with a layer are let in.
    func setRoom(_ key: LayerKey) {
        uses.withLock { uses in
            for (id, use) in uses.open where use.keys.contains(key) { uses.open[id]?.hasRoom = true }
        }
    }
}

extension CacheItem {
    /// Kind and name.
    fileprivate var id: String { kind.rawValue + " " + name }
}
