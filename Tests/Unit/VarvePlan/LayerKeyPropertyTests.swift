// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

@testable import VarvePlan

@Suite struct LayerKeyPropertyTests {
    /// One content with every field set, and the same with each field changed alone.
    private static func families() throws -> [[LayerContent]] {
        let digest = try Digest(hex: String(repeating: "ab", count: 32))
        let other = try Digest(hex: String(repeating: "cd", count: 32))
        let id = try ObjectID(hex: String(repeating: "12", count: 20))
        let otherID = try ObjectID(hex: String(repeating: "34", count: 20))
        func boot(_ change: (inout BootstrapSpecification) -> Void = { _ in }) -> LayerContent {
            var value = BootstrapSpecification(distribution: "debian", suite: "bookworm", mirror: "m", packages: ["p"])
            change(&value)
            return .base(.bootstrap(value))
        }
        func conda(_ change: (inout CondaContent) -> Void = { _ in }) -> LayerContent {
            var value = CondaContent(
                channels: ["a", "b"], dependencies: ["d"], pip: PipContent(requirements: ["p"]), variables: ["V": "1"],
                cudaOverride: "12")
            change(&value)
            return .conda(value)
        }
        func source(
            _ name: String = "lib", tree: ObjectID, isEditable: Bool = false, extras: [String] = ["x"]
        ) throws -> LocalSource {
            LocalSource(name: name, path: try RepositoryPath("lib"), tree: tree, isEditable: isEditable, extras: extras)
        }
        let lib = try source(tree: id)
        func pip(_ change: (inout PipContent) -> Void = { _ in }) -> LayerContent {
            var value = PipContent(
                options: ["--pre", "-x"], requirements: ["r"], constraints: ["c"], localSources: [lib])
            change(&value)
            return .pip(value)
        }
        func input(_ path: String, _ id: ObjectID, _ isExecutable: Bool) throws -> InputFile {
            InputFile(path: try RepositoryPath(path), id: id, isExecutable: isExecutable)
        }
        func post(_ script: String, _ inputs: [InputFile]) -> LayerContent {
            .postBuild(PostBuildContent(script: Script(bytes: Array(script.utf8)), inputs: inputs))
        }
        func config(_ environment: [String: String], _ start: String?, _ labels: [String: String]) -> LayerContent {
            .config(
                ConfigContent(
                    environment: environment, start: start.map { Script(bytes: Array($0.utf8)) }, labels: labels))
        }
        return [
            [
                .base(.image(configDigest: digest)), .base(.image(configDigest: other)), boot(),
                boot { $0.distribution = "ubuntu" }, boot { $0.suite = "trixie" }, boot { $0.mirror = nil },
                boot { $0.mirror = "" }, boot { $0.packages = [] }, boot { $0.packages = ["p", "q"] },
            ],
            [
                .apt(AptContent(packages: [])), .apt(AptContent(packages: [""])), .apt(AptContent(packages: ["a"])),
                .apt(AptContent(packages: ["ab"])), .apt(AptContent(packages: ["a", "b"])),
            ],
            [
                conda(), conda { $0.channels = ["b", "a"] }, conda { $0.channels = ["a"] },
                conda { $0.dependencies = ["e"] },
                conda { $0.pip = nil }, conda { $0.pip = PipContent(requirements: []) }, conda { $0.variables = [:] },
                conda { $0.variables = ["V": "2"] }, conda { $0.variables = ["W": "1"] },
                conda { $0.cudaOverride = nil },
                conda { $0.cudaOverride = "" },
            ],
            [
                pip(), pip { $0.options = ["-x", "--pre"] }, pip { $0.options = [] }, pip { $0.requirements = ["s"] },
                pip { $0.constraints = ["r"] }, pip { ($0.requirements, $0.constraints) = (["c"], ["r"]) },
                pip { $0.localSources = [] },
                pip { [other = try source("bil", tree: id)] in $0.localSources = [other] },
                pip { [other = try source(tree: otherID)] in $0.localSources = [other] },
                pip { [other = try source(tree: id, isEditable: true)] in $0.localSources = [other] },
                pip { [other = try source(tree: id, extras: [])] in $0.localSources = [other] },
                pip { [other = try source(tree: id, extras: ["x", "y"])] in $0.localSources = [other] },
            ],
            try [
                post("a", [input("f", id, false)]), post("b", [input("f", id, false)]), post("a", []),
                post("a", [input("g", id, false)]), post("a", [input("f", otherID, false)]),
                post("a", [input("f", id, true)]), post("", []),
                post("a", [input("f", id, false), input("g", id, false)]),
            ],
            [
                config([:], nil, [:]), config(["A": "B"], nil, [:]), config([:], nil, ["A": "B"]), config([:], "", [:]),
                config([:], "a", [:]), config(["A": "C"], nil, [:]), config(["AB": ""], nil, [:]),
                config(["A": "", "B": ""], nil, [:]),
            ],
        ]
    }

    @Test func eachFieldChangesTheKey() throws {
        let platforms = [try Platform("linux/amd64"), try Platform("linux/arm64")]
        let parents = [nil, LayerKey(bytes: [1]), LayerKey(bytes: [2])]
        var seen: [LayerKey: LayerContent] = [:]
        var count = 0
        for content in try Self.families().flatMap({ $0 }) {
            for platform in platforms {
                for parent in parents {
                    let key = LayerKey(platform: platform, content: content, parent: parent)
                    #expect(seen.updateValue(content, forKey: key) == nil, "\(content)")
                    count += 1
                }
            }
        }
        #expect(seen.count == count)
    }

    /// Different contents give different bytes; the contents are drawn from few values, so that near misses abound.
    @Test func encodingIsInjective() throws {
        var random = SeededRandom(seed: 2)
        let platform = try Platform("linux/amd64")
        var seen: [[UInt8]: LayerContent] = [:]
        for _ in 0..<30_000 {
            let content = Self.randomContent(&random)
            let bytes = LayerKey.encoding(platform: platform, content: content, parent: nil)
            if let other = seen.updateValue(content, forKey: bytes) { #expect(other == content) }
        }
        #expect(Set(seen.values).count == seen.count)
    }

    private static func randomContent(_ random: inout SeededRandom) -> LayerContent {
        let alphabet = ["", "a", "b", "ab", "\0", "\0\0\0\u{1}", "a\0\0\0\u{1}b"]
        func text() -> String { alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        func list() -> [String] { (0..<Int.random(in: 0...3, using: &random)).map { _ in text() } }
        func map() -> [String: String] { Dictionary(list().map { ($0, text()) }) { first, _ in first } }
        func some<Value>(_ value: Value) -> Value? { Bool.random(using: &random) ? value : nil }
        func pip() -> PipContent { PipContent(options: list(), requirements: list(), constraints: list()) }
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            return .base(
                .bootstrap(
                    BootstrapSpecification(distribution: text(), suite: text(), mirror: some(text()), packages: list()))
            )
        case 1: return .apt(AptContent(packages: list()))
        case 2:
            return .conda(
                CondaContent(
                    channels: list(), dependencies: list(), pip: some(pip()), variables: map(),
                    cudaOverride: some(text())))
        case 3: return .pip(pip())
        case 4: return .postBuild(PostBuildContent(script: Script(bytes: Array(text().utf8))))
        default:
            return .config(
                ConfigContent(environment: map(), start: some(Script(bytes: Array(text().utf8))), labels: map()))
        }
    }

    @Test func orderOfSetsAndDictionariesDoesNotCount() throws {
        var random = SeededRandom(seed: 5)
        let platform = try Platform("linux/amd64")
        let names = (0..<40).map { "name\($0)" }
        let tree = try ObjectID(hex: String(repeating: "12", count: 20))
        let paths = try names.map { try RepositoryPath("d/\($0)") }
        var keys: [Set<LayerKey>] = Array(repeating: [], count: 4)
        for _ in 0..<50 {
            let shuffled = names.shuffled(using: &random)
            var map: [String: String] = [:]
            for name in shuffled { map[name] = "v" }
            let sources = paths.shuffled(using: &random).map {
                LocalSource(name: $0.name, path: $0, tree: tree, isEditable: false, extras: shuffled)
            }
            let inputs = paths.shuffled(using: &random).map { InputFile(path: $0, id: tree, isExecutable: false) }
            let pip = PipContent(requirements: shuffled + names, constraints: shuffled, localSources: sources)
            let contents: [LayerContent] = [
                .apt(AptContent(packages: shuffled + shuffled)),
                .conda(CondaContent(channels: ["c"], dependencies: shuffled, pip: pip, variables: map)),
                .postBuild(PostBuildContent(script: Script(bytes: []), inputs: inputs)),
                .config(ConfigContent(environment: map, labels: map)),
            ]
            for (index, content) in contents.enumerated() {
                keys[index].insert(LayerKey(platform: platform, content: content, parent: nil))
            }
        }
        #expect(keys.map(\.count) == [1, 1, 1, 1])
    }

    /// Where a local source stands in the repository is not part of what is installed.
    @Test func placeOfALocalSourceDoesNotCount() throws {
        let tree = try ObjectID(hex: String(repeating: "12", count: 20))
        let platform = try Platform("linux/amd64")
        let keys = try ["a/lib", "z/y/x"].map { path in
            LayerKey(
                platform: platform,
                content: .pip(
                    PipContent(
                        requirements: [],
                        localSources: [
                            LocalSource(name: "lib", path: try RepositoryPath(path), tree: tree, isEditable: false),
                            LocalSource(name: "m", path: try RepositoryPath("m"), tree: tree, isEditable: false),
                        ])), parent: nil)
        }
        #expect(keys[0] == keys[1])
    }

    /// The words for a content name each change of it, so that no rebuild is without a reason.
    @Test func linesTellContentsApart() throws {
        for family in try Self.families() {
            let lines = family.map(\.lines)
            for (index, one) in family.enumerated() {
                for (otherIndex, other) in family.enumerated() where one != other && lines[index] == lines[otherIndex] {
                    // An empty value in place of none is the one difference that has no words.
                    #expect("\(one)\(other)".contains("\"\"") || "\(one)\(other)".contains("requirements: []"))
                }
            }
        }
    }

    @Test func linesHideCredentialsAndLineBreaks() {
        let content = LayerContent.config(ConfigContent(environment: ["API_TOKEN": "abc", "A": "x\ny"]))
        #expect(content.lines == ["env A=x\\ny", "env API_TOKEN=***"])
        let pip = LayerContent.pip(PipContent(options: ["--index-url https://u:p@h/simple"], requirements: []))
        #expect(pip.lines == ["--index-url https://***@h/simple"])
    }
}
