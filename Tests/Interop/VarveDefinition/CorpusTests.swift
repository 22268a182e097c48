// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Every folder that people wrote is read, and each that ends in errors is listed with what the reference tool says.
@Suite("Corpus", .corpus)
struct CorpusTests {
    private static func fleet(_ files: [String: MemorySourceTree.File]) throws -> Fleet {
        try DefinitionReader(tree: MemorySourceTree(files), hostPlatform: Platform("linux/amd64")).readFleet()
    }

    @Test
    func everyFolderIsReadAsItStands() throws {
        let fleet = try Self.fleet(try Corpus.files())
        #expect(Corpus.folders.count > 300)
        #expect(fleet.images.count + fleet.invalid.count == Corpus.folders.count)
    }

    @Test
    func atMostOneInTwentyEndsInErrorsAndEachIsListed() throws {
        let fleet = try Self.fleet(try Corpus.adopted())
        #expect(fleet.images.count + fleet.invalid.count == Corpus.folders.count)
        #expect(fleet.invalid.count * 20 <= Corpus.folders.count)
        let listed = Dictionary(grouping: try CorpusError.listed(), by: \.folder).mapValues { Set($0.map(\.code)) }
        for invalid in fleet.invalid {
            let name = invalid.folder.description
            #expect(
                listed[name] == Set(invalid.diagnostics.map(\.code)),
                "\(name): \(invalid.diagnostics.map(\.description))")
        }
        let broken = Set(fleet.invalid.map(\.folder.description))
        #expect(Set(listed.keys).subtracting(broken) == [], "these folders are fine; take them off the list")
    }

    /// What is no error but does less than it says is told.
    @Test
    func whatToolsPassOverIsAWarning() throws {
        let fleet = try Self.fleet(try Corpus.adopted())
        let warned = Set(fleet.warnings.values.joined().map(\.code))
        #expect(warned.isSuperset(of: ["VRV136", "VRV137", "VRV138"]))
        #expect(fleet.warnings.values.joined().allSatisfy { $0.severity == .warning })
    }

    /// Prints for each pair of a tool and a file whether the tool refuses the file.
    private static let program = #"""
        import json, os, subprocess, sys, tempfile
        import yaml
        from packaging.requirements import Requirement
        from pip._internal.network.session import PipSession
        from pip._internal.req.req_file import parse_requirements
        from rattler import MatchSpec
        from repo2docker.buildpacks import CondaBuildPack, PythonBuildPack

        def read(path):
            with open(path, "rb") as file:
                return file.read()

        def pip(path):
            for item in parse_requirements(path, session=PipSession()):
                if not item.is_editable and "://" not in item.requirement.split("@")[0]:
                    Requirement(item.requirement)

        def pyyaml(path):
            yaml.safe_load(read(path))

        def rattler(path):
            if path.endswith(".lock"):
                # An explicit list is a match spec of a URL a line.
                items = [l for l in read(path).decode().splitlines() if l and not l.startswith(("#", "@EXPLICIT"))]
            else:
                items = yaml.safe_load(read(path))["dependencies"]
            for item in items:
                if isinstance(item, str):
                    MatchSpec(item)

        def apt(path):
            lines = [line for line in read(path).decode().splitlines() if not line.startswith("#")]
            words = " ".join(lines).split()
            subprocess.run(["apt-get", "install", "--simulate", "--quiet", *words], check=True, capture_output=True)

        def repo2docker(path):
            os.chdir(os.path.dirname(os.path.dirname(path)) if "/.binder/" in path else os.path.dirname(path))
            if path.endswith(".txt"):
                PythonBuildPack("x").runtime
            else:
                CondaBuildPack("x").environment_yaml and CondaBuildPack("x").python_version

        tools = {"pip": pip, "PyYAML": pyyaml, "rattler": rattler, "apt": apt, "repo2docker": repo2docker}

        def refuses(tool, path):
            try:
                tools[tool](os.path.abspath(path))
            except Exception:
                return "refuses"
            return "accepts"

        start = os.getcwd()
        result = []
        for tool, path in json.load(sys.stdin):
            os.chdir(start)
            result.append(refuses(tool, path))
        print(json.dumps(result))
        """#

    @Test
    func referenceToolsSayWhatTheListSays() throws {
        let listed = try CorpusError.listed()
        let input = listed.map { [$0.tool, Corpus.root + "/" + $0.folder + "/" + $0.file] }
        let verdicts = try Python.run(Self.program, input: input, as: [String].self)
        #expect(verdicts.count == listed.count)
        for (error, verdict) in zip(listed, verdicts) {
            #expect(verdict == error.verdict, "\(error.tool) on \(error.folder)/\(error.file)")
            #expect(!error.reason.isEmpty)
        }
    }
}

/// A line of `corpus-errors.tsv`: a folder that ends in an error, and what the reference tool says of the file.
struct CorpusError {
    var folder: String
    var code: String
    var file: String
    var tool: String
    /// `refuses`, or `accepts` where varve is stricter for the reason that follows.
    var verdict: String
    var reason: String

    static func listed() throws -> [CorpusError] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "corpus-errors.tsv")
        let text = try String(contentsOf: path, encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let fields = line.split(separator: "\t").map(String.init)
            try #require(fields.count == 6, "\(line)")
            return CorpusError(
                folder: fields[0], code: fields[1], file: fields[2], tool: fields[3], verdict: fields[4],
                reason: fields[5])
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Only where real definitions lie beside the checkout; they are not the project's to hand on.
    static var corpus: Self { .enabled(if: Corpus.isThere, "\(Corpus.root) is not beside the checkout") }
}

/// The folder of real definitions beside the checkout.
enum Corpus {
    static let root = "../shared/corpus/open"
    static let isThere = FileManager.default.fileExists(atPath: root)

    static var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// All folders as one tree, each with an `image.yaml` that names a base.
    static func tree() throws -> MemorySourceTree { try MemorySourceTree(files()) }

    static func files() throws -> [String: MemorySourceTree.File] {
        var files: [String: MemorySourceTree.File] = [:]
        for (index, folder) in folders.enumerated() {
            let base = root + "/" + folder
            for file in try FileManager.default.subpathsOfDirectory(atPath: base) {
                let path = base + "/" + file
                if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
                    files[folder + "/" + file] = .symlink(target)
                    continue
                }
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                files[folder + "/" + file] = .file([UInt8](FileManager.default.contents(atPath: path) ?? Data()))
            }
            files[folder + "/image.yaml"] = .file(Array("name: c\(index)\nbase: localhost/base\n".utf8))
        }
        return files
    }

    /// The folders as a person adopts them from repo2docker, by two rules that hold for every folder.
    ///
    /// Where an environment stands, repo2docker reads no requirements file beside it but the one that it includes. The corpus leaves out code: each folder,
    /// and the repository itself, gets the `setup.py` that a requirement such as `-e .` speaks of.
    static func adopted() throws -> [String: MemorySourceTree.File] {
        var files = try files()
        for path in files.keys where path.hasSuffix("/requirements.txt") {
            let folder = path.dropLast("requirements.txt".count)
            let environments = ["environment.yml", "environment.yaml"].compactMap { name -> String? in
                guard case .file(let bytes, _) = files[folder + name] else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            }
            if !environments.isEmpty, !environments.contains(where: { $0.contains("requirements.txt") }) {
                files[path] = nil
            }
        }
        files["setup.py"] = .file([])
        for folder in folders { files[folder + "/setup.py"] = .file([]) }
        return files
    }
}
