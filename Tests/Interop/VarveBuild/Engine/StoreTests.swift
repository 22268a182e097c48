// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import VarveModel

@testable import VarveBuild

@Suite struct StoreTests {
    private let bench = EngineBench.shared

    /// A folder with a `buildah` that counts, and becomes the real one.
    private func makeShim() throws -> (path: String, log: String) {
        let folder = NSTemporaryDirectory() + "varve-shim-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let real = try #require(CommandRunner.find("buildah", path: path))
        try Data("#!/bin/sh\necho \"$*\" >>'\(folder)/log'\nexec '\(real)' \"$@\"\n".utf8)
            .write(to: URL(filePath: folder + "/buildah"))
        try Scratch.setMode(folder + "/buildah", 0o755)
        return (folder + ":" + path, folder + "/log")
    }

    private func subcommands(_ log: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: log) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 6 ? String(words[6]) : nil
        }
    }

    @Test func everyStepIsOneRunAndAFinishedLayerIsNone() async throws {
        let shim = try makeShim()
        let base = try await bench.base()
        let engine = try await bench.makeEngine(environment: ["PATH": shim.path])
        let step = LayerContent.postBuild(PostBuildContent(script: Script(bytes: Array("echo hi >/srv/hi".utf8))))
        let layer = try await engine.build(EngineBench.request(step, parent: base), log: Lines())
        let commands = subcommands(shim.log)
        #expect(commands.filter { $0 == "run" }.count == 1)
        #expect(commands.filter { $0 != "images" } == ["from", "mount", "run", "commit", "inspect"])

        #expect(try await engine.layer(for: layer.key, kind: .postBuild) == layer)
        #expect(try await engine.layer(for: EngineBench.makeKey(), kind: .postBuild) == nil)
        let config = LayerContent.config(ConfigContent(environment: ["A": "b"]))
        let image = try await engine.build(EngineBench.request(config, parent: layer), log: Lines())
        #expect(subcommands(shim.log).filter { $0 == "run" }.count == 1)

        try await engine.verify(
            image, script: Script(bytes: Array("test \"$A\" = b".utf8)), timeout: .seconds(60), log: Lines()
        )
        #expect(subcommands(shim.log).filter { $0 == "run" }.count == 2)
        #expect(try await engine.layer(for: image.key, kind: .config) == image)
    }

    @Test func baseThatIsInTheStoreIsNotPulled() async throws {
        let base = try await bench.base()
        let engine = try await bench.makeEngine()
        let layer = try await engine.build(
            EngineBench.request(.base(.image(configDigest: base.configDigest)), parent: nil), log: Lines()
        )
        #expect(layer.configDigest == base.configDigest && layer.key != base.key)
        #expect(try await engine.layer(for: base.key, kind: .base) == base)
    }

    @Test func prepareRemovesWhatACrashLeft() async throws {
        let folder = bench.folder + "-orphans"
        let engine = try await bench.makeEngine(folder: folder)
        try await engine.prepare()
        let store = engine.buildah.store
        for _ in 0..<2 { _ = try await engine.buildah.check(["from", "scratch"], layer: nil, verb: "make an orphan") }
        let name = try await engine.buildah.check(["from", "scratch"], layer: nil, verb: "make an orphan")
        let mount = try await engine.buildah.check(["mount", name], layer: nil, verb: "mount an orphan")
        try Data().write(to: URL(filePath: store.temporary + "/half"))
        try await engine.prepare()
        #expect(try await engine.buildah.run(["containers", "--quiet"]).text == "")
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.temporary) == [])
        #expect(try await !EngineBench.shell("cat /proc/self/mounts").contains(mount))
        try await engine.prepare()
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func cacheIsAskedLastAndGivenEveryLayerAndCannotFailABuild() async throws {
        let base = try await bench.base()
        let cache = FailingCache()
        let engine = try await bench.makeEngine(cache: cache)
        let key = try EngineBench.makeKey()
        #expect(try await engine.layer(for: key, kind: .config) == nil)
        let layer = try await engine.build(
            EngineBench.request(.config(ConfigContent()), parent: base, key: key), log: Lines()
        )
        #expect(try await engine.layer(for: key, kind: .config) == layer)
        #expect(cache.calls.withLock { $0 } == ["fetch \(key)", "save \(key)"])
    }

    /// A cache whose registry is down.
    private final class FailingCache: LayerCache {
        let calls = Mutex<[String]>([])

        func fetch(_ key: LayerKey, kind: LayerKind, into store: BuildahStore) async throws -> Bool {
            calls.withLock { $0.append("fetch \(key)") }
            throw BuildFailure(.transient, message: "failed to fetch layer: connection refused")
        }

        func save(_ key: LayerKey, kind: LayerKind, from store: BuildahStore) async throws {
            calls.withLock { $0.append("save \(key)") }
            throw BuildFailure(.transient, message: "failed to push layer: connection refused")
        }
    }
}
