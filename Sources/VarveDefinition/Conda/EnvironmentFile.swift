// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads a conda environment, from `environment.yml` or from `build.conda`, into canonical form.
struct EnvironmentFile {
    let findings: Findings

    /// The keys that a file may have beside those of `build.conda`; they do not count.
    private static let ignoredKeys: Set<String> = ["name", "prefix", "platforms", "category", "extra", "extends"]

    /// Reports keys of a file that look like a misspelt one; others are ignored, as conda ignores them.
    func checkKeys(_ root: YamlValue) {
        let known = ImageKeys.conda.map(\.name)
        for entry in root.entries ?? [] where !known.contains(entry.key) && !Self.ignoredKeys.contains(entry.key) {
            guard let nearest = nearestWord(to: entry.key, among: known) else { continue }
            findings.report(
                .condaFile, at: entry.place, "unknown key \(quoted(entry.key)), which conda would ignore",
                hint: "did you mean '\(nearest)'?"
            )
        }
        guard root["dependencies"] == nil, root["channels"] == nil else { return }
        if root["package"] != nil || root["metadata"] != nil {
            findings.report(
                .condaExplicit, at: root.place, "this is a lock file of conda-lock and not an environment",
                hint: "call it '\(DefinitionNames.lock)'")
        }
    }

    /// The content of an environment; nil where there is nothing to install and no variable to set.
    ///
    /// - Parameter pip: reads the lines of the `pip:` sub-list.
    func read(_ root: YamlValue, pip: ([SourceLine]) throws -> PipContent?) rethrows -> CondaContent? {
        guard root.entries != nil else {
            if !root.isNull {
                findings.report(
                    .condaFile, at: root.place, "expected a mapping with 'dependencies', found \(root.kindName)")
            }
            return nil
        }
        let channels = readChannels(root["channels"])
        let variables = readVariables(root["variables"])
        var specs: [String] = []
        var pipLines: [SourceLine] = []
        if let dependencies = root["dependencies"] {
            if let items = dependencies.items {
                for item in items where !findings.isFull { readDependency(item, into: &specs, pipLines: &pipLines) }
            } else {
                report(dependencies, "expected a list for 'dependencies', found \(dependencies.kindName)")
            }
        }
        let content = pipLines.isEmpty ? nil : try pip(pipLines)
        guard !specs.isEmpty || content != nil || !variables.isEmpty else { return nil }
        return CondaContent(channels: channels, dependencies: specs, pip: content, variables: variables)
    }

    private func report(_ value: YamlValue, _ message: String) { findings.report(.condaFile, at: value.place, message) }

    private func readDependency(_ item: YamlValue, into specs: inout [String], pipLines: inout [SourceLine]) {
        if item.isNull { return }
        if let text = item.text {
            readSpec(text, at: item.place, into: &specs)
            return
        }
        guard let entries = item.entries else { return report(item, "expected a package or 'pip:', found a list") }
        for entry in entries {
            guard entry.key == "pip" else {
                findings.report(
                    .condaFile, at: entry.place,
                    "expected 'pip' as the only key in 'dependencies', found \(quoted(entry.key))",
                    hint: entry.value.isNull
                        ? "write the package without a colon" : suggestion(for: entry.key, among: ["pip"])
                )
                continue
            }
            if entry.value.isNull { continue }
            guard let lines = entry.value.items else {
                report(entry.value, "expected a list for 'pip', found \(entry.value.kindName)")
                continue
            }
            for line in lines where !line.isNull {
                guard let text = line.text else {
                    report(line, "expected a requirement, found \(line.kindName)")
                    continue
                }
                // conda writes each item into a requirements file, so an item of several lines is several lines.
                pipLines += SourceLine.lines(of: text, from: line.place)
            }
        }
    }

    private func readSpec(_ text: String, at place: Place, into specs: inout [String]) {
        if UrlCheck.hasCredentials(text) || UrlCheck.hasCredentials(text.prefix { $0 != " " }) {
            reportCredentials(at: place)
            return
        }
        if text.trimmed == "@EXPLICIT" {
            findings.report(
                .condaExplicit, at: place, "an explicit list ('@EXPLICIT') cannot stand among the dependencies")
            return
        }
        do {
            let spec = try MatchSpec(text)
            specs.append(spec.text)
            if let extras = spec.extras {
                findings.warn(
                    .condaExtras, at: place,
                    "packages of conda have no extras; \(quoted(extras)) in \(quoted(text)) has no effect",
                    hint: "name the packages that the extra stands for")
            }
        } catch {
            findings.report(
                .matchSpec, at: place, "\(error.message) in the dependency \(quoted(text))", hint: error.hint)
        }
    }

    private func reportCredentials(at place: Place) {
        findings.report(
            .credentials, at: place, "the URL holds credentials, which everyone who reads the repository would see",
            hint: "remove them; the operator configures a netrc file or a secret for the host"
        )
    }

    private func readChannels(_ value: YamlValue?) -> [String] {
        guard let value else { return [] }
        // conda takes a single text as a list of one.
        guard let items = value.items ?? (value.text.map { _ in [value] }) else {
            report(value, "expected a list for 'channels', found \(value.kindName)")
            return []
        }
        var result: [String] = []
        var seen: Set<String> = []
        for item in items where !item.isNull && !findings.isFull {
            guard let text = item.text?.trimmed else {
                report(item, "expected the name of a channel, found \(item.kindName)")
                continue
            }
            if UrlCheck.hasCredentials(text) {
                reportCredentials(at: item.place)
            } else if let channel = Self.channel(text) {
                // A second mention has no effect: the first one wins.
                if seen.insert(channel).inserted { result.append(channel) }
            } else {
                findings.report(
                    .channel, at: item.place, "\(quoted(text)) is not a channel; expected a name, defaults, or a URL"
                )
            }
        }
        return result
    }

    private static func channel(_ text: String) -> String? {
        let scheme = UrlCheck.scheme(of: text)
        if let scheme, text.contains("://") {
            guard ["http", "https", "file", "oci", "s3"].contains(scheme) else { return nil }
            guard !text.contains(where: { $0.isWhitespace }), !text.holdsControlCharacter else { return nil }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
        guard !text.hasPrefix("."), !text.contains("//"), !text.isEmpty, !text.contains("${") else { return nil }
        let valid = text.utf8.allSatisfy { isAlphanumeric($0) || "._-/+".utf8.contains($0) }
        return valid && !text.hasPrefix("-") ? text : nil
    }

    private func readVariables(_ value: YamlValue?) -> [String: String] {
        guard let value else { return [:] }
        guard let entries = value.entries else {
            report(value, "expected a mapping for 'variables', found \(value.kindName)")
            return [:]
        }
        var result: [String: String] = [:]
        for entry in entries {
            guard VariableName.isValid(entry.key) else {
                findings.report(.variable, at: entry.place, VariableName.expectation(entry.key))
                continue
            }
            guard let text = entry.value.text ?? (entry.value.isNull ? "" : nil), !text.utf8.contains(0) else {
                report(entry.value, "expected a text for \(quoted(entry.key)), found \(entry.value.kindName)")
                continue
            }
            result[entry.key] = text
        }
        return result
    }
}

/// The grammar of the names of environment variables.
enum VariableName {
    /// Whether a name consists of letters, digits and `_` and does not begin with a digit.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5F }
    }

    /// What to say of a name that is not valid.
    static func expectation(_ name: String) -> String {
        "\(quoted(name)) is not the name of a variable; expected letters, digits and '_', not beginning with a digit"
    }
}
