// SPDX-License-Identifier: Apache-2.0

import Foundation
import SystemPackage
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveBuild

@Suite(.temporaryDirectory) struct OCILayoutTests {
    private let directory: TemporaryDirectory
    private let layout: OCILayout

    init() throws {
        directory = try TemporaryDirectory.required()
        layout = OCILayout(FilePath(directory.path("images")))
    }

    @Test func parallelProcessesLoseNoName() async throws {
        let path = layout.path.string
        let processes = 4
        let names = 25
        try await withThrowingTaskGroup(of: Void.self) { group in
            for process in 0..<processes {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [path = path as String, process = process as Int, names = names as Int] in
                        let layout = OCILayout(FilePath(path))
                        try layout.create()
                        for name in 0..<names {
                            let descriptor = OCIDescriptor(mediaType: MediaType.manifest, content: [UInt8(name)])
                            try layout.updateIndex {
                                $0.set("own-\(process):\(name)", to: descriptor)
                                $0.set("shared:latest", to: descriptor)
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = try layout.index().digests
        #expect(found.count == processes * names + 1)
    }

    @Test func blobIsReadBackAndDamageIsSeen() throws {
        try layout.create()
        let bytes = Array("content".utf8)
        let digest = Digest.of(bytes)
        #expect(try layout.blobs.read(digest) == nil)
        try layout.blobs.write(bytes, as: digest)
        #expect(try layout.blobs.read(digest) == bytes)
        try TemporaryDirectory.write("c0ntent", to: layout.blobs.path(of: digest).string)
        let failure = #expect(throws: BuildFailure.self) { try layout.blobs.read(digest) }
        #expect(failure?.failureClass == .environment)
        #expect(failure?.message.contains(digest.hex) == true)
        try layout.blobs.write(bytes, as: digest)
        #expect(try layout.blobs.read(digest) == bytes)
    }

    @Test func fileIsTakenInByItsNameAfterItsBytesAreChecked() async throws {
        try layout.create()
        let file = FilePath(try directory.write("layer", to: "layer"))
        let descriptor = OCIDescriptor(mediaType: MediaType.gzipLayer, content: Array("layer".utf8))
        try await layout.blobs.link(file, as: descriptor)
        #expect(layout.blobs.contains(descriptor))
        let links = try FileManager.default.attributesOfItem(atPath: file.string)[.referenceCount] as? Int
        #expect(links == 2)
        let other = OCIDescriptor(mediaType: MediaType.gzipLayer, content: [1])
        await #expect(throws: BuildFailure.self) { try await layout.blobs.link(file, as: other) }
        #expect(!layout.blobs.contains(other))
    }

    @Test func manifestIsWholeOnlyWithAllThatItNames() throws {
        try layout.create()
        let config = OCIDescriptor(mediaType: MediaType.config, content: [1])
        let layer = OCIDescriptor(mediaType: MediaType.gzipLayer, content: [2])
        let manifest = try OCIManifest(config: config, layers: [layer], annotations: [:])
        try layout.blobs.write(manifest.bytes, as: manifest.digest)
        try layout.blobs.write([1], as: config.digest)
        #expect(!layout.contains(manifest))
        try layout.blobs.write([2], as: layer.digest)
        #expect(layout.contains(manifest))
        #expect(try layout.manifest(manifest.digest) == manifest)
        try TemporaryDirectory.write("too long", to: layout.blobs.path(of: layer.digest).string)
        #expect(!layout.contains(manifest))
    }

    @Test func damagedIndexIsNotOverwritten() throws {
        try layout.create()
        try directory.write("{", to: "images/index.json")
        #expect(throws: BuildFailure.self) {
            try layout.updateIndex { $0.set("a:b", to: OCIDescriptor(mediaType: MediaType.manifest, content: [1])) }
        }
        #expect(try String(contentsOfFile: directory.path("images/index.json"), encoding: .utf8) == "{")
    }

    @Test func fullDiskIsSaidToBeFull() throws {
        let failure = DurableDirectory.failure("write", "/x", Errno.noSpace)
        #expect(failure.failureClass == .diskFull)
        #expect(failure.message.hasPrefix("failed to write '/x': "))
        let readOnly = #expect(throws: BuildFailure.self) { try DurableDirectory("/proc/varve").create() }
        #expect(readOnly?.failureClass == .environment)
    }

    @Test func directoryInUseIsNoLeftover() async throws {
        let area = StagingArea(FilePath(directory.path("staging")))
        try directory.write("half", to: "staging/1-2/blobs/x")
        let path = try await area.withDirectory { path in
            try TemporaryDirectory.write("half", to: path.string + "/x")
            try area.removeLeftovers()
            #expect(FileManager.default.fileExists(atPath: path.string + "/x"))
            #expect(!FileManager.default.fileExists(atPath: directory.path("staging/1-2")))
            return path
        }
        #expect(!FileManager.default.fileExists(atPath: path.string))
    }

    @Test func compressedLayerIsForgottenWhenItsBytesAreGone() async throws {
        let layers = CompressedLayers(FilePath(directory.path("compressed")))
        try layers.create()
        let file = FilePath(try directory.write("layer", to: "layer"))
        let descriptor = OCIDescriptor(mediaType: MediaType.gzipLayer, content: Array("layer".utf8))
        let diffID = Digest.of([1])
        #expect(layers.layer(diffID) == nil)
        try layers.keep(file, as: descriptor, diffID: diffID)
        #expect(layers.layer(diffID) == descriptor)
        layers.removeUnused()
        #expect(layers.layer(diffID) == descriptor)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -30 * 86_400)],
            ofItemAtPath: directory.path("compressed/diff-ids/\(diffID.hex)")
        )
        layers.removeUnused()
        #expect(layers.layer(diffID) == nil)
        #expect(!FileManager.default.fileExists(atPath: layers.path(of: descriptor).string))
    }
}
