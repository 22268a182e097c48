// SPDX-License-Identifier: Apache-2.0

public import Foundation
import Synchronization
public import Testing

/// A folder that lives as long as one test, and the clean-up of everything that the test started.
///
/// Clean-ups run last in, first out; then the folder goes. With `VARVE_KEEP_TEMPORARY=1` the folder is kept and its
/// path printed; the clean-ups still run.
public final class TemporaryDirectory: Sendable {
    /// A piece of clean-up.
    public typealias Cleanup = @Sendable () async -> Void

    /// The directory of the running test; set by the `.temporaryDirectory` trait.
    @TaskLocal public static var current: TemporaryDirectory?

    /// The absolute path, without symbolic links.
    public let path: String
    private let cleanups = Mutex<[Cleanup]>([])

    /// Makes a fresh folder under `TMPDIR`, or `/tmp`.
    ///
    /// - Throws: when the folder cannot be made.
    public init(named name: String = "varve") throws {
        let root = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let unique = UUID().uuidString.prefix(8).lowercased()
        path = URL(filePath: root).resolvingSymlinksInPath().appending(path: "\(name)-\(unique)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The directory of the running test.
    ///
    /// - Throws: `FixtureError` in a test without the `.temporaryDirectory` trait.
    public static func required() throws -> TemporaryDirectory {
        guard let current else { throw FixtureError("the test lacks the .temporaryDirectory trait") }
        return current
    }

    /// The folder as a URL.
    public var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

    /// Runs `cleanup` at the end of the test, before all that was registered earlier.
    public func addCleanup(_ cleanup: @escaping Cleanup) { cleanups.withLock { $0.append(cleanup) } }

    /// The path of `name` inside this folder; nothing is made.
    public func path(_ name: String) -> String { path + "/" + name }

    /// Makes a folder, with the folders above it, and returns its path.
    ///
    /// - Throws: when it cannot be made.
    @discardableResult
    public func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }

    /// Writes a file, with the folders above it, and returns its path.
    ///
    /// - Throws: when it cannot be written.
    @discardableResult
    public func write(_ text: String, to name: String, executable: Bool = false) throws -> String {
        try Self.write(text, to: path(name), executable: executable)
        return path(name)
    }

    /// Writes a file anywhere, with the folders above it.
    ///
    /// - Throws: when it cannot be written.
    public static func write(_ text: String, to path: String, executable: Bool = false) throws {
        let url = URL(filePath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        if executable { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path) }
    }

    /// Runs the clean-ups and removes the folder.
    public func tearDown() async {
        while let cleanup = cleanups.withLock({ $0.popLast() }) { await cleanup() }
        if ProcessInfo.processInfo.environment["VARVE_KEEP_TEMPORARY"] == "1" {
            print("kept \(path)")
        } else {
            // `rm` in place of FileManager: layers may hold files that a path of Foundation cannot name.
            _ = try? await Command.run("rm", ["-rf", "--one-file-system", path])
        }
    }

    /// Makes a directory, runs `body` with it as `current`, and tears it down whatever happens.
    ///
    /// - Throws: what `body` throws, or when the folder cannot be made.
    public static func scope(_ body: () async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        do {
            try await $current.withValue(directory) { try await body() }
        } catch {
            await directory.tearDown()
            throw error
        }
        await directory.tearDown()
    }
}

/// Gives each test its own `TemporaryDirectory.current`.
public struct TemporaryDirectoryTrait: TestTrait, SuiteTrait, TestScoping {
    /// A suite hands the trait on to each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test inside its own directory.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await TemporaryDirectory.scope { try await function() }
    }
}

extension Trait where Self == TemporaryDirectoryTrait {
    /// A fresh `TemporaryDirectory.current` for each test.
    public static var temporaryDirectory: Self { Self() }
}

/// A fixture that cannot do its work: a broken test set-up, never a property of the product.
public struct FixtureError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    /// An error with its text.
    public init(_ description: String) { self.description = description }
}
