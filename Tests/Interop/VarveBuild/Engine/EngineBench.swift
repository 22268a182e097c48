// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Synchronization
import Testing
import VarveModel

@testable import VarveBuild

/// A store with a real bootstrap base, made once for all tests of the process, and what tests ask of it.
actor EngineBench {
    static let shared = {
        atexit { try? FileManager.default.removeItem(atPath: benchFolder) }
        return EngineBench()
    }()

    /// Where the store of all tests stands; removed when the process ends.
    let folder = benchFolder
    private var preparation: Task<BuiltLayer, any Error>?

    /// The base: Debian with python and its venv module.
    func base() async throws -> BuiltLayer {
        if preparation == nil {
            preparation = Task {
                let engine = try await makeEngine()
                try await engine.prepare()
                return try await engine.build(Self.request(Self.bootstrap, parent: nil), log: Lines())
            }
        }
        guard let preparation else { throw CancellationError() }
        return try await preparation.value
    }

    static let bootstrap = LayerContent.base(
        .bootstrap(
            BootstrapSpecification(
                distribution: "debian", suite: "bookworm", mirror: "http://deb.debian.org/debian",
                packages: ["python3", "python3-venv"]
            )
        )
    )

    /// An engine on the store of all tests, or on one of its own.
    nonisolated func makeEngine(
        folder: String? = nil, environment: [String: String] = [:], cache: (any LayerCache)? = nil,
        isolation: Isolation = .chroot
    ) async throws -> BuildahEngine {
        let environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        let store = try await BuildahStore.open(stateDirectory: folder ?? self.folder, environment: environment)
        return BuildahEngine(
            store: store, isolation: isolation, environment: environment, puller: NoPuller(), cache: cache,
            logger: Logger(label: "test")
        )
    }

    /// A request with a key of its own.
    static func request(
        _ content: LayerContent, parent: BuiltLayer?, key: LayerKey? = nil, sources: any SourceTree = MemorySource(),
        owner: Owner = .allUsers, timeout: Duration = .seconds(600)
    ) throws -> LayerRequest {
        LayerRequest(
            key: try key ?? makeKey(), platform: try Platform("linux/amd64"), content: content, parent: parent,
            baseImage: nil, sources: sources, owner: owner, timeout: timeout
        )
    }

    /// A key that no other layer has.
    static func makeKey() throws -> LayerKey {
        try LayerKey(hex: (0..<64).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined())
    }

    /// Runs a tool of the host and gives what it prints.
    static func shell(_ script: String) async throws -> String {
        let result = try await CommandRunner().run(
            Command("bash", ["-c", script], environment: ProcessInfo.processInfo.environment)
        )
        guard result.isSuccess else { throw BuildFailure(.unknown, message: "\(script): \(result.tailText)") }
        return result.text
    }

    /// The kind, date and path of everything in a layer, as the overlay driver keeps it.
    static func listing(of layer: BuiltLayer, store: BuildahStore) async throws -> [String] {
        let digest = try #require(layer.diffID)
        let text = try await shell(
            """
            cd '\(store.root)'
            for id in $(jq -r '.[] | select(."diff-digest" == "\(digest)") | .id' overlay-layers/layers.json | head -1); do
                TZ=UTC find "overlay/$id/diff" -mindepth 1 -printf '%y %TY-%Tm-%Td %P\\n' | sort
            done
            """
        )
        return text.split(separator: "\n").map(String.init)
    }
}

/// Global, because a function that runs at exit can capture nothing.
private let benchFolder = NSTemporaryDirectory() + "varve-engine-\(getpid())"

/// Collects the lines of a build.
final class Lines: BuildLog {
    private let lines = Mutex<[String]>([])

    func append(line: String, layer: LayerKind) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}

/// Has no base to pull.
struct NoPuller: BaseImagePuller {
    func pull(_ image: ResolvedImage, platform: Platform, into store: BuildahStore, as name: String) async throws {
        throw BuildFailure(.unknown, message: "failed to pull '\(image.reference)': not in this test")
    }
}

/// A source whose files are in memory: blobs by id and folders by path.
struct MemorySource: SourceTree {
    var blobs: [ObjectID: [UInt8]] = [:]
    var folders: [RepositoryPath: [SourceEntry]] = [:]

    func entries(in folder: RepositoryPath) -> [SourceEntry] { folders[folder] ?? [] }

    func entry(at path: RepositoryPath) -> SourceEntry? {
        path.parent.flatMap { folders[$0] }?.first { $0.name == path.name }
    }

    func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
        guard let bytes = blobs[id] else { throw SourceError.missing(id) }
        return bytes
    }
}
