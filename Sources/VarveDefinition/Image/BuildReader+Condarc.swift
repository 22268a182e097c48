// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension BuildReader {
    /// Reads `.condarc`, of which `channel_priority` counts: it decides which packages conda's solver chooses.
    ///
    /// An explicit list and a lock file are not solved, so that it does not count for them.
    func readCondarc(
        _ beside: [String: SourceEntry], _ folder: RepositoryPath, into result: inout ReadBuild
    ) throws {
        guard let (bytes, path) = try bytes(DefinitionNames.condarc, beside, folder),
            let text = DefinitionFiles.decode(bytes, file: path, findings: findings),
            let root = YamlReader(file: path, findings: findings).read(text), !root.isNull
        else { return }
        guard let entries = root.entries else {
            findings.report(
                .condarc, at: root.place, "expected a mapping with 'channel_priority', found \(root.kindName)")
            return
        }
        for entry in entries {
            guard entry.key == Condarc.key else {
                findings.warn(
                    .condarcKey, at: entry.place,
                    "the key \(quoted(entry.key)) has no effect; only '\(Condarc.key)' has",
                    hint: Condarc.hint(entry.key))
                continue
            }
            guard let priority = entry.value.text.flatMap(Condarc.priority) else {
                let found = entry.value.text.map { quoted($0) } ?? entry.value.kindName
                findings.report(
                    .condarc, at: entry.value.place,
                    "expected strict, flexible or disabled for '\(Condarc.key)', found \(found)",
                    hint: entry.value.text.flatMap { suggestion(for: $0, among: Condarc.priorities) })
                continue
            }
            guard let conda = result.data.conda else {
                findings.warn(
                    .condarcKey, at: entry.place, "the key '\(Condarc.key)' has no effect without a conda layer")
                continue
            }
            if conda.explicit == nil { result.data.conda?.channelPriority = priority }
        }
    }
}

/// What `.condarc` can say.
enum Condarc {
    static let key = "channel_priority"
    static let priorities = ["strict", "flexible", "disabled"]

    /// The priority that a text means to conda, which takes the truth values of former versions too.
    static func priority(_ text: String) -> String? {
        switch text.lowercased() {
        case let word where priorities.contains(word): word
        case "true", "yes", "on": "flexible"
        case "false", "no", "off": "disabled"
        default: nil
        }
    }

    /// What to do about a key that has no effect.
    static func hint(_ key: String) -> String? {
        switch key {
        case "channels", "default_channels", "create_default_packages", "pinned_packages":
            "write it into environment.yml"
        case "channel_alias", "custom_channels", "proxy_servers", "ssl_verify", "default_threads",
            "remote_read_timeout_secs":
            "the operator configures it for the host"
        default: suggestion(for: key, among: [Self.key])
        }
    }
}
