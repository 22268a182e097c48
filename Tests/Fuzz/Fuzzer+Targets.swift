// SPDX-License-Identifier: Apache-2.0

import Foundation
import VarveDefinition
import VarveModel
import VarveTestSupport

extension Fuzzer {
    // MARK: - varve.yaml

    /// Reads a fleet file above three images: one that gives nothing but its base, one that gives everything, and a copy.
    mutating func readFleetFile(_ input: [UInt8]) throws {
        func fleet(_ file: [UInt8]?) throws -> Fleet {
            var files = [
                "images/a/image.yaml": Self.text(["base: localhost/x"]),
                "images/b/image.yaml": Self.text([Self.everything]),
                "teams/c/image.yaml": Self.text(["copyFrom: b", "owner: group/a"]),
            ]
            if let file { files["varve.yaml"] = .file(file) }
            return try DefinitionReader(
                tree: GuardedTree(tree: try MemorySourceTree(files)), hostPlatform: Platform("linux/amd64")
            ).readFleet()
        }
        let found = try fleet(input)
        check(
            found.fileDiagnostics + found.invalid.flatMap(\.diagnostics) + found.warnings.values.joined(), input)
        if !found.fileDiagnostics.isEmpty {
            if !found.images.isEmpty { fail("a broken fleet file lets images through", input) }
            if found.invalid.count != 3 { fail("a broken fleet file hides images", input) }
            return
        }
        if found.images.isEmpty && found.invalid.isEmpty { fail("all images have vanished", input) }
        if !found.images.isEmpty { report.accepted += 1 }
        // What an image gives itself, no default changes.
        guard var own = found.images.first(where: { $0.name.value == "b" }) else { return }
        own.maximumSize = nil
        if own != (try fleet(nil).images.first { $0.name.value == "b" }) {
            fail("a default changes what the image gives itself", input)
        }
    }

    /// An image that gives each key that can have a default.
    private static let everything = """
        description: x
        owner: user/ann
        visibility: owner
        hardware: cpu
        supports: [dask]
        base: localhost/y
        build:
          apt: [jq]
          conda: {channels: [c], dependencies: [a]}
          cran: [praise]
          bioconductor: [limma]
          remotes: [a/b]
          installR: '1'
          pip: [six]
          cranMirror: https://cran.r-project.org
          registerKernel: false
          postBuild: 'true'
        env: {A: b}
        start: 'exec "$@"'
        verify: 'true'
        platforms: [linux/amd64]
        tags: [x]
        suspend: false
        """

    // MARK: - Recipes

    /// Imports a recipe; each image that comes of it must have a name of its own and a base or place that reads back.
    mutating func readRecipe(_ input: [UInt8]) throws {
        var taken: Set<String> = ["taken"]
        let found = SaturnImport(input, taken: &taken)
        if found.remarks.count > 200 { fail("too many remarks", input) }
        if !found.remarks.allSatisfy({ Self.isSafe($0.message) }) { fail("unsafe remark", input) }
        if found.images.isEmpty, !found.remarks.contains(where: { $0.isError || $0.message.contains("archived") }) {
            fail("nothing is imported, and nobody is told why", input)
        }
        if taken.count != found.images.count + 1 || !taken.isSuperset(of: found.images.map(\.name)) {
            fail("names of images are not unique", input)
        }
        for image in found.images {
            if (try? ImageName(image.name)) == nil { fail("the name \(image.name) is none", input) }
            var files: [String: MemorySourceTree.File] = [:]
            for file in image.files {
                if files.updateValue(.file(Array(file.text.utf8)), forKey: "i/" + file.name) != nil
                    || file.name.contains("/")
                {
                    fail("the file \(file.name) is wrong", input)
                }
            }
            let line: String =
                switch image.source {
                case .base(let reference): "base: '\(reference)'"
                case .external(let reference): "external: '\(reference)'"
                }
            files["i/image.yaml"] = Self.text([line])
            let fleet = try read(files)
            let own = fleet.invalid.flatMap(\.diagnostics).filter { $0.file.name == "image.yaml" }
            if !own.isEmpty { fail("\(line) is refused: \(own)", input) }
        }
        if !found.images.isEmpty { report.accepted += 1 }
        let again = SaturnImport(input, taken: &taken)
        if !again.images.isEmpty, !Set(again.images.map(\.name)).isDisjoint(with: found.images.map(\.name)) {
            fail("a name that is taken is given again", input)
        }
    }

    // MARK: - The daemon's configuration

    /// Reads the daemon's configuration; what is taken is within its bounds.
    mutating func readSettings(_ input: [UInt8]) {
        let (settings, diagnostics) = DaemonSettings.read(
            String(decoding: input, as: UTF8.self), file: "varve-daemon.yaml")
        check(diagnostics, input)
        if (settings == nil) == diagnostics.isEmpty { fail("settings beside errors, or neither", input) }
        guard let settings else { return }
        report.accepted += 1
        if settings.repositories.isEmpty { fail("no repository", input) }
        if !(1...64).contains(settings.builders) { fail("\(settings.builders) builders", input) }
        let times = [settings.layerTimeout, settings.interval, settings.baseInterval]
        if !times.allSatisfy({ $0 >= .seconds(1) && $0 <= .seconds(3_600_000) }) { fail("a time out of bounds", input) }
        if let isolation = settings.isolation, !["chroot", "oci", "rootless"].contains(isolation) {
            fail("the isolation \(isolation)", input)
        }
    }

    // MARK: - Values

    mutating func readValue(_ text: String) {
        func check<Value: Equatable & CustomStringConvertible>(_ make: (String) throws -> Value) -> Bool {
            guard let value = try? make(text) else { return true }
            return (try? make(value.description)) == value
        }
        if !check({ try ImageReference($0) }) { fail("an image reference changes", Array(text.utf8)) }
        if !check({ try Platform($0) }) { fail("a platform changes", Array(text.utf8)) }
        if !check({ try RepositoryPath($0) }) { fail("a path changes", Array(text.utf8)) }
        if !check({ try Digest($0) }) { fail("a digest changes", Array(text.utf8)) }
        if !check({ try Timestamp($0) }) { fail("a moment changes", Array(text.utf8)) }
        if !check({ try ImageName($0) }) { fail("a name changes", Array(text.utf8)) }
        if let path = try? RepositoryPath(text), path.components.contains("..") {
            fail("a path leads out", Array(text.utf8))
        }
        if let path = try? RepositoryPath.root.resolving(text), path.components.contains("..") {
            fail("a path leads out", Array(text.utf8))
        }
        if let record = try? JSONDecoder().decode(BuildRecord.self, from: Data(text.utf8)) {
            let again = try? JSONDecoder().decode(BuildRecord.self, from: JSONEncoder().encode(record))
            if again != record { fail("a record changes", Array(text.utf8)) }
        }
    }
}
