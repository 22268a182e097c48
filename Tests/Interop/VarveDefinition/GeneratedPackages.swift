// SPDX-License-Identifier: Apache-2.0

import VarveTestSupport

/// A list of Debian packages by its meaning, which can be written in many ways.
struct GeneratedPackages: GeneratedDefinition {
    struct Package {
        /// What follows the name: nothing, `=VERSION`, `:ARCHITECTURE` or `/SUITE`.
        enum Choice {
            case candidate
            case version(String)
            case architecture
            case backports
        }

        var name: String
        var choice: Choice

        var text: String {
            switch choice {
            case .candidate: name
            case .version(let version): "\(name)=\(version)"
            case .architecture: name + ":i386"
            case .backports: name + "/stable-backports"
            }
        }

        /// Whether apt takes the version of the backports.
        var isBackport: Bool {
            switch choice {
            case .version(let version): version == GeneratedPackages.versions[1]
            case .backports: true
            case .candidate, .architecture: false
            }
        }
    }

    var packages: [Package]

    /// What the archive of the tests holds: each package in the suite `stable` and in `stable-backports`, for two architectures.
    static let names = ["git", "g++", "libfoo1-dev", "python3.11", "xz-utils"]
    static let versions = ["1:2.30-1+deb12u1", "1:2.40-1~bpo12+1"]

    init(_ random: inout SeededRandom) {
        packages = Self.names.dropLast().shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)).map {
            let choices: [Package.Choice] = [
                .candidate, .candidate, .version(Self.versions[0]), .version(Self.versions[1]), .architecture,
                .backports,
            ]
            return Package(name: $0, choice: choices[Int.random(in: 0..<choices.count, using: &random)])
        }
    }

    var plain: [String: String] { ["apt.txt": packages.map { $0.text + "\n" }.joined()] }

    /// Order, duplicates, comments, blanks, several packages a line, line ends, byte-order mark.
    func respelt(_ random: inout SeededRandom) -> [String: String] {
        func isChosen() -> Bool { Bool.random(using: &random) }
        func pick(_ values: [String]) -> String { values[Int.random(in: 0..<values.count, using: &random)] }
        let repeated = packages + packages.prefix(isChosen() ? 2 : 0)
        var text = pick(["", "# é: first\n", "\n\n"])
        for package in repeated.shuffled(using: &random) {
            text += pick(["", " ", "\t"]) + package.text
            text += pick(["\n", "\n", " ", "  \t", "# why\n", " # not this: jq -y\n", "\n\n  \n", "\n#\n"])
        }
        if isChosen(), text.hasSuffix("\n") { text.removeLast() }
        if isChosen() { text = text.replacing("\n", with: "\r\n") }
        return ["apt.txt": (isChosen() ? "\u{FEFF}" : "") + text]
    }

    static let edits = ["version", "spelling of the version", "architecture", "suite", "package", "fewer"]

    func changed(_ random: inout SeededRandom) -> (edit: String, GeneratedPackages) {
        var result = self
        let edit = Self.edits[Int.random(in: 0..<Self.edits.count, using: &random)]
        let index = Int.random(in: 0..<packages.count, using: &random)
        let isBackport = packages[index].isBackport
        switch edit {
        case "version": result.packages[index].choice = .version(Self.versions[isBackport ? 0 : 1])
        // apt compares texts: what is equal to dpkg is another version to it, which is not there.
        case "spelling of the version": result.packages[index].choice = .version("01:2.30-1+deb12u1")
        case "architecture":
            if case .architecture = packages[index].choice {
                result.packages[index].choice = .candidate
            } else {
                result.packages[index].choice = .architecture
            }
        case "suite": result.packages[index].choice = isBackport ? .candidate : .backports
        case "fewer" where packages.count > 1: result.packages.remove(at: index)
        default: result.packages.append(Package(name: Self.names[Self.names.count - 1], choice: .candidate))
        }
        return (edit, result)
    }
}
