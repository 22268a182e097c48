// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// Caches in memory; each piece takes its bytes of a disk until the last item that holds it is gone.
private actor MemoryCaches: CacheStore {
    private(set) var held: [CacheItem]
    private(set) var leftoverRuns = 0
    private let disk: MemoryDisk
    private var onItems: @Sendable () async -> Void = {}

    init(_ items: [CacheItem], on disk: MemoryDisk) {
        held = items
        self.disk = disk
        disk.take(Self.pieces(of: items))
    }

    private static func pieces(of items: [CacheItem]) -> [String: Int] {
        items.reduce(into: [:]) { $0.merge($1.pieces) { first, _ in first } }
    }

    func whenListed(_ body: @escaping @Sendable () async -> Void) { onItems = body }

    func items() async throws -> [CacheItem] {
        await onItems()
        return held
    }

    func remove(_ items: [CacheItem]) async throws {
        let names = Set(items.map { $0.kind.rawValue + $0.name })
        held.removeAll { names.contains($0.kind.rawValue + $0.name) }
        disk.take(Self.pieces(of: held))
    }

    func removeLeftovers() async throws { leftoverRuns += 1 }

    var names: [String] { held.map(\.name).sorted() }
}

/// A disk on which caches and other things lie.
private final class MemoryDisk: Sendable {
    private let state: Mutex<(size: Int, other: Int, caches: Int)>

    init(size: Int, other: Int = 0) { state = Mutex((size, other, 0)) }

    func take(_ pieces: [String: Int]) { state.withLock { $0.caches = pieces.values.reduce(0, +) } }
    func setOther(_ bytes: Int) { state.withLock { $0.other = bytes } }
    var room: DiskRoom { state.withLock { DiskRoom(bytes: $0.size - $0.other - $0.caches, files: nil) } }
}

/// The warnings of a keeper.
private final class Warnings: Sendable {
    private let texts = Mutex<[String]>([])
    func note(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}

/// What stays on the disk, what goes, and what is not begun for lack of room.
@Suite(.temporaryDirectory, .timeLimit(.minutes(2)))
struct DiskKeeperTests {
    private static let now = 1_795_432_508

    private static func key(_ name: String) throws -> LayerKey {
        LayerKey(bytes: Array(Digest(hashing: name).hex.utf8.prefix(32)))
    }

    /// An image that stands on others: its own piece has its name, and was used so many hours ago.
    private static func layer(_ name: String, on below: [String] = [], hours: Int, bytes: Int = 100) throws -> CacheItem
    {
        let pieces = Dictionary(uniqueKeysWithValues: (below + [name]).map { ($0, bytes) })
        return CacheItem(
            .layer, name: name, keys: [try key(name)], pieces: pieces, topPiece: name,
            lastUse: Timestamp(seconds: now - hours * 3_600))
    }

    private static func compressed(_ name: String, hours: Int) -> CacheItem {
        CacheItem(
            .compressed, name: name, pieces: ["blob " + name: 100],
            lastUse: Timestamp(seconds: now - hours * 3_600))
    }

    private static func keeper(
        _ caches: MemoryCaches, _ disk: MemoryDisk, reserve: Int = 0, cache: Int = 1_000_000
    ) throws -> (keeper: DiskKeeper, state: StateDirectory) {
        let state = StateDirectory(path: try TemporaryDirectory.required().path, repository: "/r")
        try state.prepare()
        // The system's time, by which the file of needed layers is judged.
        let keeper = DiskKeeper(
            stateDirectory: state.path, limits: DiskLimits(reserve: reserve, cache: cache), caches: caches,
            now: { Timestamp(seconds: now) }, room: { disk.room })
        return (keeper, state)
    }

    @Test
    func oldestUseGoesFirstUntilTheBudgetIsKept() async throws {
        let disk = MemoryDisk(size: 10_000)
        let items = try ["a", "b", "c", "d"].enumerated().map { try Self.layer($1, hours: 40 - $0) }
        let caches = MemoryCaches(items, on: disk)
        let (keeper, _) = try Self.keeper(caches, disk, cache: 250)
        let dry = try await keeper.collect(isDryRun: true)
        #expect(dry.removed.map(\.name) == ["a", "b"] && dry.lines[0].freed == 200)
        #expect(await caches.names == ["a", "b", "c", "d"])
        #expect(await caches.leftoverRuns == 0)
        let report = try await keeper.collect(isDryRun: false)
        #expect(report.removed.map(\.name) == ["a", "b"] && report.lines[0].removed == 2)
        #expect(report.free == 9_800)
        #expect(await caches.names == ["c", "d"])
        #expect(await caches.leftoverRuns == 1)
    }

    @Test
    func neededLayersStayWhateverTheBudgetIs() async throws {
        let disk = MemoryDisk(size: 10_000)
        let caches = MemoryCaches(
            try [
                Self.layer("base", hours: 90), Self.layer("needed", on: ["base"], hours: 80),
                Self.layer("old", on: ["base"], hours: 70),
            ], on: disk)
        let (keeper, state) = try Self.keeper(caches, disk, cache: 0)
        await keeper.note([try Self.key("needed")], of: state)
        _ = try await keeper.collect(isDryRun: false)
        // The base too: without its name it would take the same room.
        #expect(await caches.names == ["base", "needed"])
    }

    @Test
    func whatAnotherRepositoryOfTheStateDirectoryNeedsStaysToo() async throws {
        let disk = MemoryDisk(size: 10_000)
        let caches = MemoryCaches(try [Self.layer("a", hours: 9), Self.layer("b", hours: 9)], on: disk)
        let (keeper, state) = try Self.keeper(caches, disk, cache: 0)
        await keeper.note([try Self.key("a")], of: state)
        await keeper.note([try Self.key("b")], of: StateDirectory(path: state.path, repository: "/other"))
        _ = try await keeper.collect(isDryRun: false)
        #expect(await caches.names == ["a", "b"])
    }

    @Test
    func imageGoesBeforeWhatItStandsOn() async throws {
        let disk = MemoryDisk(size: 10_000)
        // The base was not asked for since, but the image on it was.
        let caches = MemoryCaches(
            try [
                Self.layer("base", hours: 90), Self.layer("top", on: ["base"], hours: 10), Self.layer("x", hours: 50),
            ], on: disk)
        let (keeper, _) = try Self.keeper(caches, disk, cache: 150)
        let report = try await keeper.collect(isDryRun: false)
        #expect(report.removed.map(\.name) == ["x", "top"])
        #expect(await caches.names == ["base"])
    }

    @Test
    func whatIsBeingBuiltLosesNothingAndNobodyBeginsMeanwhile() async throws {
        let disk = MemoryDisk(size: 10_000)
        let steps = CacheItem(
            .stepCache, name: "pip", pieces: ["pip": 100], lastUse: Timestamp(seconds: 0), needsQuiet: true)
        let caches = MemoryCaches(
            try [
                Self.layer("base", hours: 90), Self.layer("built", on: ["base"], hours: 80),
                Self.layer("old", hours: 70),
            ] + [steps, Self.compressed("recent", hours: 0), Self.compressed("stale", hours: 5)], on: disk)
        let (keeper, _) = try Self.keeper(caches, disk, cache: 0)
        let use = await keeper.use([try Self.key("built")])
        _ = try await keeper.collect(isDryRun: false)
        // What was compressed a moment ago may be just about to be sent.
        #expect(await caches.names == ["base", "built", "pip", "recent"])
        #expect(await caches.leftoverRuns == 0)
        use.end()
        let begun = Mutex(false)
        await caches.whenListed {
            // In the middle of a collection: a build that wants to begin waits until it is over.
            await Task.yield()
            #expect(!begun.withLock { $0 })
        }
        async let collected = keeper.collect(isDryRun: false)
        _ = try await collected
        await keeper.use([]).end()
        begun.withLock { $0 = true }
        #expect(await caches.names.isEmpty)
    }

    @Test
    func buildBeginsAfterRoomWasMadeForIt() async throws {
        let disk = MemoryDisk(size: 1_000, other: 500)
        let caches = MemoryCaches(try (1...4).map { try Self.layer("\($0)", hours: 50 - $0) }, on: disk)
        let (keeper, _) = try Self.keeper(caches, disk, reserve: 250)
        let warnings = Warnings()
        try await keeper.admit(Self.key("new")) { warnings.note($0) }
        // No more than needed, though far from the budget, and nothing to say.
        #expect(await caches.names == ["3", "4"])
        #expect(warnings.all.isEmpty)
    }

    @Test
    func imageThatHasBegunIsFinished() async throws {
        let disk = MemoryDisk(size: 1_000)
        let (keeper, _) = try Self.keeper(MemoryCaches([], on: disk), disk, reserve: 250)
        let use = await keeper.use([try Self.key("one"), try Self.key("two")])
        try await keeper.admit(Self.key("one")) { _ in }
        disk.setOther(900)
        try await keeper.admit(Self.key("two")) { _ in }
        use.end()
        await #expect(throws: BuildFailure.self) { try await keeper.admit(Self.key("two")) { _ in } }
    }

    @Test
    func lackOfRoomIsSaidOnceAndItsEndToo() async throws {
        let disk = MemoryDisk(size: 1_000, other: 900)
        let caches = MemoryCaches([], on: disk)
        let (keeper, _) = try Self.keeper(caches, disk, reserve: 250)
        let warnings = Warnings()
        for _ in 0..<3 {
            let failure = await #expect(throws: BuildFailure.self) {
                try await keeper.admit(Self.key("new")) { warnings.note($0) }
            }
            #expect(failure?.failureClass == .diskFull)
            // The same words each time, so that one record stands for all attempts.
            #expect(failure?.message.contains("less than the reserve of 250 B (disk.reserve) is free") == true)
        }
        #expect(
            warnings.all.count == 1 && warnings.all[0].contains("100 B are free and 250 B must be"), "\(warnings.all)")
        disk.setOther(0)
        try await keeper.admit(Self.key("new")) { warnings.note($0) }
        try await keeper.admit(Self.key("new")) { warnings.note($0) }
        #expect(warnings.all.count == 2 && warnings.all[1].contains("again"), "\(warnings.all)")
    }

    @Test
    func logsOfTheLastBuildsStayAndOthersGoByNumberAndAge() async throws {
        let disk = MemoryDisk(size: 10_000)
        let (keeper, state) = try Self.keeper(MemoryCaches([], on: disk), disk)
        let folder = state.logs(of: try ImageName("a"))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let names = (10..<70).map { "2026-10-\($0)T00:00:00Z-x.log" }
        for (index, name) in names.enumerated() {
            // The first half is old, the second is of yesterday.
            let age = index < 30 ? 90.0 : 1.0
            let date = Date(timeIntervalSince1970: Double(Self.now) - age * 86_400)
            _ = FileManager.default.createFile(
                atPath: folder + "/" + name, contents: Data("log".utf8), attributes: [.modificationDate: date])
        }
        let few = state.logs(of: try ImageName("b"))
        try FileManager.default.createDirectory(atPath: few, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(
            atPath: few + "/1.log", contents: Data(), attributes: [.modificationDate: Date(timeIntervalSince1970: 0)])
        _ = try await keeper.collect(isDryRun: false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == Array(names.suffix(30)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: few) == ["1.log"])
    }

    @Test
    func imageThatWaitsForRoomHoldsUpNobodyAndIsTriedAgain() async throws {
        var rig = try await Rig()
        rig.builders = 1
        _ = try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [jq]}\n",
            "images/b/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [jq]}\ntags: [x]\n",
        ])
        let disk = MemoryDisk(size: 1_000)
        let caches = MemoryCaches([], on: disk)
        rig.disk = DiskKeeper(
            stateDirectory: rig.state.path, limits: DiskLimits(reserve: 100), caches: caches,
            now: { Timestamp(seconds: Self.now) }, room: { disk.room })
        #expect(try await rig.reconcile().built.count == 2)
        // One image needs a layer, the other only another tag: nothing of that is executed.
        disk.setOther(950)
        _ = try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [jq, git]}\n",
            "images/b/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [jq]}\nenv: {}\ntags: [y]\n",
        ])
        let result = try await rig.reconcile()
        #expect(result.failed.map(\.value) == ["a"])
        #expect(await rig.executed.isEmpty)
        #expect(rig.events.warnings.filter { $0.contains("no room for builds") }.count == 1)
        let record = try #require(await rig.store.records().records.last { $0.image.value == "a" })
        #expect(record.status == .error && record.error?.failureClass == .diskFull)
        disk.setOther(0)
        #expect(try await rig.reconcile().built.map(\.value) == ["a"])
        #expect(rig.events.warnings.contains { $0.contains("again") })
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1_536, "1.5 KiB"), (20 << 30, "20 GiB"), ((2 << 40) + (1 << 39), "2.5 TiB"),
    ])
    func sizesAreForPeople(_ bytes: Int, _ text: String) { #expect(sizeText(bytes) == text) }
}
