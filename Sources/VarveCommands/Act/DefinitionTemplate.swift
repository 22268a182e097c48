// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveDefinition
import VarveModel

/// The text of a new `image.yaml`.
struct DefinitionTemplate {
    /// Where the schema of image.yaml lies, relative to the file's folder.
    var schema: String?
    /// The base as YAML, where the image does not get it from another.
    var base: String?
    /// The image built elsewhere that is registered, in place of a base.
    var external: String?
    var description: String?
    var fields: [(key: String, value: String?)] = []
    var apt: [String] = []
    var conda: [String] = []
    var channels: [String] = []
    var pip: [String] = []
    var cran: [String] = []
    var bioconductor: [String] = []
    var remotes: [String] = []
    var cranMirror: String?
    var registersKernel = false
    /// The layers that are not to be read from a file: keys of `build`.
    var excluded: [String] = []
    var environment: [(name: String, value: String)] = []
    var tags: [String] = []
    var supports: [String] = []
    var platforms: [String] = []
    var inputs: [String] = []
    /// Scripts by their keys: `postBuild`, `installR`, `start`, `verify`.
    var scripts: [String: String] = [:]
    var isSuspended = false

    init(base: String?, description: String? = nil) {
        self.base = base
        self.description = description
    }

    /// An example that works as it stands, from Debian's packages alone.
    static var hello: DefinitionTemplate {
        var template = DefinitionTemplate(
            base: "{bootstrap: {distribution: debian, suite: bookworm, packages: [ca-certificates]}}",
            description: "An example: a Debian base with one package")
        template.apt = ["hello"]
        template.scripts["verify"] = "hello --greeting=ready"
        return template
    }

    /// The file's text.
    var text: String {
        var lines: [String] = []
        if let schema { lines.append("# yaml-language-server: $schema=\(schema)") }
        if let description { lines.append("description: \(Self.quoted(description))") }
        for (key, value) in fields {
            if let value { lines.append("\(key): \(Self.quoted(value))") }
        }
        if !supports.isEmpty { lines.append("supports: \(Self.list(supports))") }
        if !platforms.isEmpty { lines.append("platforms: \(Self.list(platforms))") }
        if let base { lines.append("base: \(base)") }
        if let external { lines.append("external: \(Self.quoted(external))") }
        let build = buildLines
        if !build.isEmpty { lines += ["build:"] + build }
        if !environment.isEmpty {
            lines.append("env:")
            lines += environment.map { "  \(Self.quoted($0.name)): \(Self.quoted($0.value))" }
        }
        if !inputs.isEmpty { lines.append("inputs: \(Self.list(inputs))") }
        if !tags.isEmpty { lines.append("tags: \(Self.list(tags))") }
        for key in ["start", "verify"] { lines += scripts[key].map { Self.block(key, $0, indentation: "") } ?? [] }
        if isSuspended { lines.append("suspend: true") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What stands under `build`.
    private var buildLines: [String] {
        var lines: [String] = []
        if !apt.isEmpty { lines.append("  apt: \(Self.list(apt))") }
        if !conda.isEmpty || !channels.isEmpty {
            let from = channels.isEmpty ? "" : "channels: \(Self.list(channels)), "
            lines.append("  conda: {\(from)dependencies: \(Self.list(conda))}")
        }
        for (key, packages) in [("cran", cran), ("bioconductor", bioconductor), ("remotes", remotes)]
        where !packages.isEmpty {
            lines.append("  \(key): \(Self.list(packages))")
        }
        if let cranMirror { lines.append("  cranMirror: \(Self.quoted(cranMirror))") }
        lines += scripts["installR"].map { Self.block("installR", $0, indentation: "  ") } ?? []
        if !pip.isEmpty { lines += Self.block("pip", pip.joined(separator: "\n"), indentation: "  ") }
        if registersKernel { lines.append("  registerKernel: true") }
        lines += scripts["postBuild"].map { Self.block("postBuild", $0, indentation: "  ") } ?? []
        return lines + excluded.map { "  \($0): []" }
    }

    /// A key with a text of several lines: a block where that keeps every character, else in quotes.
    private static func block(_ key: String, _ text: String, indentation: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        let keepsAll = text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || isPlain($0) }
        guard keepsAll, let first = lines.first, let last = lines.last, first.first?.isWhitespace == false,
            !last.isEmpty
        else { return ["\(indentation)\(key): \(quoted(text))"] }
        return ["\(indentation)\(key): |"] + lines.map { $0.isEmpty ? "" : indentation + "  " + $0 }
    }

    static func list(_ values: [String]) -> String {
        "[" + values.map(quoted).joined(separator: ", ") + "]"
    }

    /// A YAML scalar: plain where that reads back as the same text in any YAML version, else double-quoted.
    static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x2f, 0x5f].contains(byte)
        }
        let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        let startsWithLetter = text.utf8.first.map { (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) } ?? false
        if plain, startsWithLetter, !words.contains(text.lowercased()) { return text }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            default: isPlain(scalar) ? String(scalar) : "\\U" + hexadecimal(scalar.value)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    /// Whether YAML keeps a character as it stands in double quotes, and a person sees that it is there.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned: false
        default: true
        }
    }

    /// Where the schema of image.yaml lies for a folder of the repository.
    static func schemaPath(from folder: RepositoryPath) -> String {
        String(repeating: "../", count: folder.components.count) + JSONSchema.imagePath
    }
}
