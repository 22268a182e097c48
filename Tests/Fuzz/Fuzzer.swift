// SPDX-License-Identifier: Apache-2.0

import Foundation
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Feeds the readers of definitions with broken and with nearly right files, from a seed.
///
/// An input is one file of one definition: a seed of `FuzzGrammar` with some bytes changed, or a row of its words. What is
/// read must stay within its bounds; what is taken must mean the same when its canonical form is read again.
public struct Fuzzer {
    /// What a run did.
    public struct Report: Sendable {
        /// How many inputs were read.
        public var inputs = 0
        /// How many gave a definition.
        public var accepted = 0
        /// The most CPU seconds that one input took.
        public var slowest = 0.0
        /// What went wrong, each with its input.
        public var failures: [String] = []
    }

    /// The CPU seconds that one input may take; a thousand times what the usual one does.
    private static let bound = 5.0

    private var random: FuzzRandom
    var report = Report()

    /// A run that can be repeated.
    public init(seed: UInt64) { random = FuzzRandom(state: seed) }

    /// Reads so many inputs.
    public mutating func run(_ count: Int) throws -> Report {
        report = Report()
        for _ in 0..<count where report.failures.count < 20 {
            let grammar = FuzzGrammar.all[random.below(FuzzGrammar.all.count)]
            let input = makeInput(grammar)
            let began = Self.cpuSeconds()
            do {
                switch grammar.target {
                case .definition(let file, let beside): try readFile(file, input, beside: beside)
                case .fleet: try readFleetFile(input)
                case .recipe: try readRecipe(input)
                case .settings: readSettings(input)
                case .value: readValue(String(decoding: input, as: UTF8.self))
                }
            } catch { fail("threw \(error)", input) }
            let spent = Self.cpuSeconds() - began
            report.slowest = max(report.slowest, spent)
            if spent > Self.bound { fail("took \(spent) s", input) }
            report.inputs += 1
        }
        return report
    }

    mutating func fail(_ message: String, _ input: [UInt8]) {
        report.failures.append("\(message): \(String(decoding: input.prefix(2_000), as: UTF8.self).debugDescription)")
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: - Inputs

    private mutating func makeInput(_ grammar: FuzzGrammar) -> [UInt8] {
        if random.below(3) == 0 {
            var text = ""
            for _ in 0...random.below(24) { text += grammar.words[random.below(grammar.words.count)] }
            return Array(text.utf8)
        }
        var bytes = Array(grammar.seeds[random.below(grammar.seeds.count)].utf8)
        for _ in 0..<random.below(6) { mutate(&bytes, grammar) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8], _ grammar: FuzzGrammar) {
        let index = random.below(bytes.count + 1)
        let end = min(bytes.count, index + 1 + random.below(8))
        switch random.below(7) {
        case 0 where index < bytes.count: bytes[index] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.insert(FuzzGrammar.alphabet[random.below(FuzzGrammar.alphabet.count)], at: index)
        case 2: bytes.removeSubrange(index..<end)
        case 3: bytes.insert(contentsOf: bytes[index..<end], at: random.below(bytes.count + 1))
        case 4: bytes.insert(contentsOf: Array(grammar.words[random.below(grammar.words.count)].utf8), at: index)
        case 5: bytes = Array(bytes[..<index])
        default:
            let other = Array(grammar.seeds[random.below(grammar.seeds.count)].utf8)
            bytes = Array(bytes[..<index]) + other[random.below(other.count + 1)...]
        }
    }

    // MARK: - Files

    private mutating func readFile(_ file: String, _ input: [UInt8], beside: [String: String]) throws {
        var given = Dictionary(uniqueKeysWithValues: beside.map { ("i/" + $0.key, Self.text([$0.value])) })
        given["i/" + file] = .file(input)
        let fleet = try read(given)
        guard fleet.images.count + fleet.invalid.count == 1 else { return fail("gave not one image", input) }
        check(fleet.invalid.flatMap(\.diagnostics) + fleet.warnings.values.joined(), input)
        guard let image = fleet.images.first else { return }
        if String(describing: image).contains(GuardedTree.target) { fail("a link was read as a file", input) }
        let build = image.build
        report.accepted += 1
        var files: [String: MemorySourceTree.File] = [:]
        if let explicit = build.conda?.explicit, build.conda?.pip == nil {
            files["i/environment.yml"] = Self.text(["@EXPLICIT"] + explicit)
        }
        if let python = build.pip?.python { files["i/runtime.txt"] = Self.text(["python-" + python]) }
        if let apt = build.apt { files["i/apt.txt"] = Self.text(apt.packages) }
        if let pip = build.pip, pip.localSources.isEmpty, !pip.requirements.isEmpty {
            files["i/requirements.txt"] = Self.text(
                pip.options + pip.requirements + (pip.constraints.isEmpty ? [] : ["-c rendered.txt"]))
            files["i/rendered.txt"] = Self.text(pip.constraints)
        }
        if let conda = build.conda, conda.pip == nil, conda.explicit == nil {
            let object: [String: Any] = [
                "channels": conda.channels, "dependencies": conda.dependencies, "variables": conda.variables,
            ]
            files["i/environment.yml"] = .file(Array(try JSONSerialization.data(withJSONObject: object)))
            files["i/.condarc"] = conda.channelPriority.map { Self.text(["channel_priority: \($0)"]) }
        }
        guard !files.isEmpty else { return }
        let again = try read(files)
        guard let other = again.images.first?.build else {
            return fail("the canonical form is refused (\(again.invalid.flatMap(\.diagnostics)))", input)
        }
        let isKept =
            (files["i/apt.txt"] == nil || other.apt == build.apt)
            && (files["i/requirements.txt"] == nil || other.pip == build.pip)
            && (files["i/environment.yml"] == nil
                || other.conda?.dependencies == build.conda?.dependencies
                    && other.conda?.channels == build.conda?.channels
                    && other.conda?.variables == build.conda?.variables
                    && other.conda?.explicit == build.conda?.explicit
                    && other.conda?.channelPriority == build.conda?.channelPriority)
            && (files["i/runtime.txt"] == nil || other.pip?.python == build.pip?.python)
        if !isKept { fail("the canonical form means something else", input) }
    }

    /// Checks what is told to a person: it is one line each, of a known code, and not too much.
    mutating func check(_ diagnostics: [Diagnostic], _ input: [UInt8]) {
        for diagnostic in diagnostics {
            if !Self.isSafe(diagnostic.description) { fail("unsafe message", input) }
            if DiagnosticCode(rawValue: diagnostic.code) == nil { fail("unknown code", input) }
        }
        if diagnostics.count > 400 { fail("too many findings", input) }
    }

    /// Whether a message is one line, and one that a person can read.
    static func isSafe(_ text: String) -> Bool {
        text.utf8.count <= 4_000 && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    static func text(_ lines: [String]) -> MemorySourceTree.File {
        .file(Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    /// Reads an image among files that no definition may read: a link out, and a link to one.
    func read(_ files: [String: MemorySourceTree.File]) throws -> Fleet {
        var all = files
        if all["i/image.yaml"] == nil { all["i/image.yaml"] = .file(Array("base: localhost/x\n".utf8)) }
        all["i/link"] = .symlink(GuardedTree.target)
        all["i/inner"] = .symlink("./p/../c.txt")
        all["i/c.txt"] = .file(Array("numpy<3\n-r c.txt\n".utf8))
        all["i/p/setup.py"] = .file([])
        let tree = GuardedTree(tree: try MemorySourceTree(all))
        return try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
    }
}
