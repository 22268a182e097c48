// SPDX-License-Identifier: Apache-2.0

import Foundation
import VarveFuzz
import VarveGit
import VarveModel
import VarveReconcile

/// Measurements that need a process of their own; `bench.py` calls them and prints the figures.
@main
enum VarveBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        switch (arguments.dropFirst().first, arguments.count) {
        case ("read-blobs", 3): try readBlobs(arguments[2])
        case ("unchanged-pass", 4): try await unchangedPass(arguments[2], state: arguments[3])
        case ("fuzz", 4): try fuzz(arguments[2], seed: arguments[3])
        case ("loop", 4): try await LoopBench.run(arguments[2], state: arguments[3])
        default:
            print(
                "usage: varve-bench read-blobs REPOSITORY | unchanged-pass REPOSITORY STATE | fuzz INPUTS SEED "
                    + "| loop REPOSITORY STATE")
            exit(64)
        }
    }

    /// Reads every blob of the tip with libgit2 and nothing else.
    private static func readBlobs(_ folder: String) throws {
        let clock = ContinuousClock()
        let began = clock.now
        let repository = try GitRepository(opening: folder)
        guard let tip = try repository.head() else { return }
        let totals = try repository.readAllBlobs(of: tip)
        let seconds = (clock.now - began) / .seconds(1)
        print("{\"seconds\": \(seconds), \"blobs\": \(totals.count), \"bytes\": \(totals.bytes)}")
    }

    /// Reads so many broken and nearly right inputs; exits with 1 where one is handled wrongly.
    private static func fuzz(_ count: String, seed: String) throws {
        guard let count = Int(count), let seed = UInt64(seed) else { throw BenchError("expected two numbers") }
        var fuzzer = Fuzzer(seed: seed)
        let report = try fuzzer.run(count)
        print("\(report.inputs) inputs, \(report.accepted) accepted; the slowest took \(report.slowest) s of CPU")
        for failure in report.failures { print(failure) }
        exit(report.failures.isEmpty ? 0 : 1)
    }

    /// A reconciler over a real repository, with an engine and a registry that are done at once.
    static func reconciler(
        _ repository: GitRepository, _ state: StateDirectory, events: @escaping @Sendable (PassEvent) -> Void
    ) throws -> Reconciler {
        var settings = PassSettings(
            platform: try Platform("linux/amd64"), host: "bench",
            now: { Timestamp(seconds: Int(Date().timeIntervalSince1970)) },
            makeID: { UUID().uuidString.replacing("-", with: "").lowercased() })
        settings.builders = 8
        let images = InstantImages()
        return Reconciler(
            source: GitDefinitionSource(repository: repository),
            records: try GitNotesRecordStore(repository: repository), engine: images, registry: images,
            journal: Journal(path: state.journal), state: state, settings: settings, events: events)
    }

    /// Builds every image with an engine that does nothing, and times the passes in which nothing changed.
    private static func unchangedPass(_ folder: String, state path: String) async throws {
        let state = StateDirectory(path: path, repository: folder)
        try state.prepare()
        let repository = try GitRepository(opening: folder)
        let reconciler = try reconciler(repository, state, events: { _ in })
        for _ in 0..<2 {
            let result = try await reconciler.reconcile()
            guard result.isGood else { throw BenchError("the images were not built: \(result)") }
        }
        let clock = ContinuousClock()
        var times: [Double] = []
        for _ in 0..<200 {
            let began = clock.now
            let result = try await reconciler.reconcile(looksOutside: false)
            times.append((clock.now - began) / .seconds(1))
            guard result.isGood, result.built.isEmpty else { throw BenchError("something changed: \(result)") }
        }
        times.sort()
        let (median, worst) = (times[times.count / 2], times[times.count - 1])
        print("{\"median\": \(median), \"worst\": \(worst), \"passes\": \(times.count)}")
    }
}

/// A measurement that measured something else.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
