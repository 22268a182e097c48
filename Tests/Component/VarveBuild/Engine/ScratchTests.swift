// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

@Suite struct ScratchTests {
    /// A tree that gives whatever it was told, as a hostile one may.
    private struct Tree: SourceTree {
        var folders: [String: [SourceEntry]] = [:]
        var blobs: [ObjectID: [UInt8]] = [:]
        var isEndless = false

        func entries(in folder: RepositoryPath) -> [SourceEntry] {
            isEndless ? [SourceEntry(name: "d", kind: .folder, id: ScratchTests.id)] : folders["\(folder)"] ?? []
        }
        func entry(at path: RepositoryPath) -> SourceEntry? { nil }
        func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
            guard let bytes = blobs[id] else { throw SourceError.missing(id) }
            guard bytes.count <= limit else { throw SourceError.tooLarge(size: bytes.count, limit: limit) }
            return bytes
        }
    }

    private static let id = makeID("0")
    private static let link = makeID("1")
    private static let file = makeID("2")

    private static func makeID(_ digit: String) -> ObjectID {
        guard let id = try? ObjectID(hex: String(repeating: digit, count: 40)) else { return makeID("0") }
        return id
    }

    struct Twins: Sendable, CustomTestStringConvertible {
        var first: SourceEntry.Kind
        var second: SourceEntry.Kind
        var testDescription: String { "\(first) then \(second)" }
    }

    @Test(arguments: [
        Twins(first: .symlink, second: .file), Twins(first: .file, second: .symlink),
        Twins(first: .symlink, second: .executable), Twins(first: .symlink, second: .folder),
        Twins(first: .folder, second: .symlink), Twins(first: .symlink, second: .symlink),
        Twins(first: .file, second: .file), Twins(first: .folder, second: .folder),
        Twins(first: .folder, second: .file), Twins(first: .file, second: .folder),
    ])
    func twoEntriesOfOneNameNeverReachTheHost(_ twins: Twins) throws {
        let host = try Self.hostFolder()
        defer { try? FileManager.default.removeItem(atPath: host) }
        let victim = host + "/victim"
        let isFolder = twins.first == .folder || twins.second == .folder
        if isFolder {
            try FileManager.default.createDirectory(
                atPath: victim, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        }
        let entries = [twins.first, twins.second].map { kind in
            SourceEntry(name: "\u{fffd}", kind: kind, id: kind == .symlink ? Self.link : Self.file)
        }
        let below = [SourceEntry(name: "planted", kind: .file, id: Self.file)]
        let tree = Tree(
            folders: ["\(RepositoryPath.root)": entries, "\u{fffd}": below],
            blobs: [Self.link: Array(victim.utf8), Self.file: [2]]
        )
        let failure = try #require(throws: BuildFailure.self) { try Self.write(tree, in: host) }
        #expect(failure.failureClass == .definition)
        #expect(failure.message == "failed to write 'step/src/x/\u{fffd}': two entries have this name")
        if isFolder {
            #expect(try FileManager.default.contentsOfDirectory(atPath: victim) == [])
            #expect(try FileManager.default.attributesOfItem(atPath: victim)[.posixPermissions] as? Int == 0o700)
        } else {
            #expect(!FileManager.default.fileExists(atPath: victim))
        }
    }

    @Test func fileBelowALinkOfTheDefinitionIsRefused() throws {
        let host = try Self.hostFolder()
        defer { try? FileManager.default.removeItem(atPath: host) }
        let scratch = try Scratch(in: host)
        let step = Step(
            user: .root, arguments: [],
            files: [
                Step.File(path: "build/a", content: .symlink(Self.link)), Step.text("build/a/b", "planted"),
            ], cache: .none
        )
        let failure = try #require(throws: BuildFailure.self) {
            try scratch.write(step, from: Tree(blobs: [Self.link: Array(host.utf8)]))
        }
        #expect(failure.failureClass == .definition)
        #expect(!FileManager.default.fileExists(atPath: host + "/b"))
    }

    @Test func filesFoldersAndLinksArriveWithTheirModes() throws {
        let host = try Self.hostFolder()
        defer { try? FileManager.default.removeItem(atPath: host) }
        let tree = Tree(
            folders: [
                "\(RepositoryPath.root)": [
                    SourceEntry(name: "a", kind: .symlink, id: Self.link),
                    SourceEntry(name: "d", kind: .folder, id: Self.id),
                ],
                "d": [SourceEntry(name: "run", kind: .executable, id: Self.file)],
            ], blobs: [Self.link: Array("d/run".utf8), Self.file: [2]]
        )
        let root = try Self.write(tree, in: host)
        let files = FileManager.default
        #expect(try files.destinationOfSymbolicLink(atPath: root + "/step/src/x/a") == "d/run")
        #expect(files.contents(atPath: root + "/step/src/x/a") == Data([2]))
        #expect(try files.attributesOfItem(atPath: root + "/step/src/x/d/run")[.posixPermissions] as? Int == 0o755)
        #expect(try files.attributesOfItem(atPath: root + "/step/src/x/d")[.posixPermissions] as? Int == 0o755)
        #expect(try files.attributesOfItem(atPath: root)[.posixPermissions] as? Int == 0o700)
    }

    struct Excess: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var limits: Scratch.Limits
        var isEndless = false
        var cause: String
    }

    @Test(arguments: [
        Excess(testDescription: "depth", limits: .init(depth: 3), isEndless: true, cause: "deeper than 3 folders"),
        Excess(testDescription: "entries", limits: .init(entries: 2), cause: "at most 2 files and folders"),
        Excess(testDescription: "bytes", limits: .init(bytes: 3), cause: "the file has 2 bytes, expected at most 1"),
    ])
    func whatAStepIsGivenIsBounded(_ excess: Excess) throws {
        let host = try Self.hostFolder()
        defer { try? FileManager.default.removeItem(atPath: host) }
        let entries = ["a", "b"].map { SourceEntry(name: $0, kind: .file, id: Self.file) }
        let tree = Tree(
            folders: ["\(RepositoryPath.root)": entries], blobs: [Self.file: [1, 2]], isEndless: excess.isEndless)
        let failure = try #require(throws: BuildFailure.self) { try Self.write(tree, in: host, limits: excess.limits) }
        #expect(failure.failureClass == .definition)
        #expect(failure.message.hasSuffix(excess.cause), "\(failure)")
    }

    private static func hostFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/scratch-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// The scratch folder with the whole tree as the source `x`.
    @discardableResult
    private static func write(_ tree: Tree, in host: String, limits: Scratch.Limits = .init()) throws -> String {
        let scratch = try Scratch(in: host, limits: limits)
        let source = LocalSource(name: "x", path: .root, tree: id, isEditable: false)
        try scratch.write(
            Step(user: .root, arguments: [], files: [], sources: [source], cache: .none), from: tree)
        return scratch.path
    }
}
