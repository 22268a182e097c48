// SPDX-License-Identifier: Apache-2.0

import VarveTestSupport

/// A conda environment by its meaning, which can be written in many ways.
struct GeneratedEnvironment: GeneratedDefinition {
    /// A dependency, with the constraint on its version by kind.
    struct Package {
        enum Version {
            case any
            case prefix(String)
            case exact(String)
            case exactBuild(String, String)
            /// Operator and version each, joined by `,`.
            case all([[String]])
            /// Exact versions, joined by `|`.
            case either([String])
        }

        var name: String
        var channel: String?
        var version: Version
    }

    var channels: [String]
    var packages: [Package]
    var requirements: [String]
    var variables: [String: String]

    private static let names = ["numpy", "scikit-learn", "python_abi", "r-base", "xz", "_libgcc_mutex"]
    private static let versions = ["1.26", "3.10.4", "2022.7.19", "9e", "1.1.1k", "2!1.0"]

    /// A definition that depends on the random numbers alone.
    init(_ random: inout SeededRandom) {
        channels = Array(
            ["conda-forge", "defaults", "https://c.example/x"].shuffled(using: &random)
                .prefix(Int.random(in: 0...3, using: &random)))
        packages = Self.names.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)).map { name in
            Package(
                name: name, channel: Int.random(in: 0..<4, using: &random) == 0 ? "bioconda" : nil,
                version: Self.version(&random))
        }
        requirements = Array(
            ["six==1.16.0", "attrs>=22,<24", "rich[jupyter]"].prefix(Int.random(in: 0...3, using: &random)))
        variables = Bool.random(using: &random) ? ["A": "1.10", "B": "yes", "C_1": "a b: #c"] : [:]
    }

    private static func pick<Value>(_ values: [Value], _ random: inout SeededRandom) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    private static func version(_ random: inout SeededRandom) -> Package.Version {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .any
        case 1: .prefix(pick(["1", "3.10", "2022.07"], &random))
        case 2: .exact(pick(versions, &random))
        case 3: .exactBuild(pick(["1.26", "0.1"], &random), pick(["py310_0", "*_cpython", "h1234_0"], &random))
        case 4:
            .all([
                [pick([">=", ">"], &random), pick(["1.2", "0.5"], &random)], [pick(["<", "<=", "!="], &random), "7"],
            ])
        default: .either(["1.2", "3.4"])
        }
    }

    // MARK: - Writing

    /// The file, written as most people would.
    var plain: [String: String] {
        var text = ""
        if !channels.isEmpty { text += "channels:\n" + channels.map { "  - \($0)\n" }.joined() }
        text += "dependencies:\n" + packages.map { "  - '\(Self.plain($0))'\n" }.joined()
        if !requirements.isEmpty { text += "  - pip:\n" + requirements.map { "    - '\($0)'\n" }.joined() }
        if !variables.isEmpty {
            text +=
                "variables:\n" + variables.sorted { $0.key < $1.key }.map { "  \($0.key): '\($0.value)'\n" }.joined()
        }
        return ["environment.yml": text]
    }

    private static func plain(_ package: Package) -> String {
        let version =
            switch package.version {
            case .any: ""
            case .prefix(let version): "=" + version
            case .exact(let version): "==" + version
            case .exactBuild(let version, let build): "=" + version + "=" + build
            case .all(let parts): parts.map { $0.joined() }.joined(separator: ",")
            case .either(let versions): " " + versions.joined(separator: "|")
            }
        return (package.channel.map { $0 + "::" } ?? "") + package.name + version
    }

    /// The same in other words: order, duplicates, case, forms of a spec, and all that YAML lets one write otherwise.
    func respelt(_ random: inout SeededRandom) -> [String: String] {
        func isChosen() -> Bool { Bool.random(using: &random) }
        var sections: [String] = []
        let indentation = Self.pick(["", "  ", "    "], &random)
        func section(_ key: String, _ items: [String]) {
            if isChosen() {
                sections.append("\(key): [\(items.joined(separator: Self.pick([", ", ",\n   "], &random)))]\n")
            } else {
                sections.append("\(key):\n" + items.map { "\(indentation)- \($0)\(comment(&random))\n" }.joined())
            }
        }
        if !channels.isEmpty {
            section("channels", (channels + channels.prefix(isChosen() ? 1 : 0)).map { Self.scalar($0, &random) })
        }
        let repeated = packages + packages.prefix(isChosen() ? 1 : 0)
        var items = repeated.shuffled(using: &random).map { Self.scalar(Self.respelt($0, &random), &random) }
        if !requirements.isEmpty {
            let lines = (requirements + requirements.prefix(isChosen() ? 1 : 0)).shuffled(using: &random)
            items.append(
                "{pip: [" + lines.map { Self.scalar(Self.respelt($0, &random), &random) }.joined(separator: ", ") + "]}"
            )
        }
        section("dependencies", items.shuffled(using: &random))
        if !variables.isEmpty {
            let entries = variables.shuffled(using: &random).map { "\($0.key): \(Self.scalar($0.value, &random))" }
            if isChosen() {
                sections.append("variables: {\(entries.joined(separator: ", "))}\n")
            } else {
                sections.append("variables:\n" + entries.map { "  \($0)\(comment(&random))\n" }.joined())
            }
        }
        if isChosen() { sections.append("name: some-name\n") }
        if isChosen() { sections.append("prefix: /home/someone/envs/x\n") }
        var text = sections.shuffled(using: &random).joined(separator: Self.pick(["", "\n", "# between\n"], &random))
        if isChosen() { text = "---\n" + text }
        if isChosen() { text = "# é ü\n" + text }
        if isChosen() { text = text.replacing("\n", with: "\r\n") }
        return ["environment.yml": (isChosen() ? "\u{FEFF}" : "") + text]
    }

    private func comment(_ random: inout SeededRandom) -> String {
        Self.pick(["", "", "  # why", " # [linux]"], &random)
    }

    /// A text as one of the scalars of YAML that can hold it here.
    private static func scalar(_ text: String, _ random: inout SeededRandom) -> String {
        let isPlain = !text.contains { ",[]{}#'\"&*!|>%@:= ".contains($0) }
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where isPlain: return text
        case 1: return "'" + text.replacing("'", with: "''") + "'"
        default: return "\"" + text.replacing("\"", with: "\\\"") + "\""
        }
    }

    private static func respelt(_ package: Package, _ random: inout SeededRandom) -> String {
        let name = Bool.random(using: &random) ? package.name.uppercased() : package.name
        let forms: [String] =
            switch package.version {
            case .any: ["", " *", "[version='*']"]
            case .prefix(let v): ["=" + v, " =" + v, " \(v).*", "[version='\(v).*']", "=\(v).*"]
            case .exact(let v): ["==" + v, " ==" + v, " " + v, " == " + v, "[version='==\(v)']", "=\(v)=*"]
            case .exactBuild(let v, let b):
                ["=\(v)=\(b)", " \(v) \(b)", "==\(v)=\(b)", "[version='==\(v)',build='\(b)']"]
            case .all(let parts):
                [",", ", ", " ,"].flatMap { separator in
                    [parts, parts.reversed()].map { parts in
                        pick(["", " "], &random)
                            + parts.map { $0.joined(separator: pick(["", " "], &random)) }.joined(separator: separator)
                    }
                }
            case .either(let versions):
                [" " + versions.joined(separator: "|"), " ==" + versions.reversed().joined(separator: "|==")]
            }
        return (package.channel.map { $0 + "::" } ?? "") + name + pick(forms, &random)
    }

    private static func respelt(_ requirement: String, _ random: inout SeededRandom) -> String {
        switch requirement {
        case "six==1.16.0": pick(["Six == 1.16", "six==1.16.0 # pinned", "SIX (==1.16.0.0)"], &random)
        case "attrs>=22,<24": pick(["attrs <24.0, >=22", "Attrs>=22,<24"], &random)
        case "rich[jupyter]": pick(["rich [Jupyter]", "RICH[jupyter,jupyter]"], &random)
        default: requirement
        }
    }

    // MARK: - Changing

    /// The names of the edits that `changed` makes.
    static let edits = [
        "version", "prefix for exact", "build", "channel", "channel order", "package", "name", "requirement",
        "variable",
    ]

    /// The definition with one thing changed that conda would act on, and what that is.
    func changed(_ random: inout SeededRandom) -> (edit: String, GeneratedEnvironment) {
        var result = self
        let edit = Self.pick(Self.edits, &random)
        let index = Int.random(in: 0..<packages.count, using: &random)
        switch edit {
        case "version": result.packages[index].version = .exact("77.1")
        case "prefix for exact":
            if case .exact(let version) = packages[index].version {
                result.packages[index].version = .prefix(version)
            } else {
                result.packages[index].version = .exact("5")
            }
        case "build": result.packages[index].version = .exactBuild("1.26", "other_9")
        case "channel": result.packages[index].channel = packages[index].channel == nil ? "other" : nil
        case "channel order":
            if channels.count > 1 { result.channels.swapAt(0, 1) } else { result.channels.append("nodefaults") }
        case "package": result.packages.append(Package(name: "one-more", channel: nil, version: .any))
        case "name": result.packages[index].name += "2"
        case "requirement": result.requirements.append("one-more")
        default: result.variables["A"] = "1.1"
        }
        return (edit, result)
    }
}
