// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// The daemon's configuration, as its file gives it.
public struct DaemonSettings: Hashable, Sendable {
    /// One repository.
    public struct Repository: Hashable, Sendable {
        /// A folder or a URL.
        public var address: String
        /// The branch; nil follows `HEAD`.
        public var branch: String?
        /// Where its images are published; nil takes the daemon's place.
        public var registry: String?
    }

    /// The repositories; at least one.
    public var repositories: [Repository] = []
    /// The state directory; nil takes the default.
    public var stateDirectory: String?
    /// Where images are published; nil takes the default.
    public var registry: String?
    /// Registry hosts without TLS.
    public var plainHTTPHosts: [String] = []
    /// How steps are isolated.
    public var isolation: String?
    /// How many images of one repository are built at the same time.
    public var builders = 2
    /// How long one layer may take.
    public var layerTimeout: Duration = .seconds(3_600)
    /// The longest time between two passes.
    public var interval: Duration = .seconds(60)
    /// The time between two lookups of bases.
    public var baseInterval: Duration = .seconds(900)
    /// What is answered over HTTP; nil answers nothing.
    public var server: ServerSettings?

    /// Reads a configuration file; nil where anything is wrong with it, which the diagnostics tell with line and column.
    ///
    /// - Parameter file: the file's name, for the diagnostics.
    public static func read(_ text: String, file: String) -> (settings: DaemonSettings?, diagnostics: [Diagnostic]) {
        let findings = Findings()
        let place = Place(file: (try? RepositoryPath(file)) ?? .root, line: 1, column: 1)
        let settings = read(text, at: place, findings)
        return (findings.isEmpty ? settings : nil, findings.sorted)
    }

    private static func read(_ text: String, at start: Place, _ findings: Findings) -> DaemonSettings? {
        guard let root = YamlReader(file: start.file, findings: findings).read(text), let entries = root.entries else {
            if findings.isEmpty {
                findings.report(.wrongType, at: start, "expected a mapping with the key 'repositories'")
            }
            return nil
        }
        ShapeCheck(findings: findings, isOfRepository: false).check(entries, at: root.place, against: DaemonKeys.all)
        guard findings.isEmpty else { return nil }
        var settings = DaemonSettings()
        for item in root["repositories"]?.items ?? [] {
            guard let address = item["repo"]?.text else { continue }
            settings.repositories.append(
                Repository(address: address, branch: item["branch"]?.text, registry: item["registry"]?.text))
        }
        if settings.repositories.isEmpty {
            findings.report(.missingKey, at: root["repositories"]?.place ?? start, "expected at least one repository")
        }
        settings.stateDirectory = root["stateDir"]?.text
        settings.registry = root["registry"]?.text
        settings.plainHTTPHosts = root["plainHTTP"]?.items?.compactMap(\.text) ?? []
        settings.isolation = root["isolation"]?.text
        settings.server = ServerSettings.read(root["server"], findings)
        if let value = root["builders"], let text = value.text {
            if let number = Int(text), (1...64).contains(number) {
                settings.builders = number
            } else {
                findings.report(
                    .settingValue, at: value.place, "\(quoted(text)) is not a number of builders; expected 1 to 64")
            }
        }
        for (key, path) in [
            ("layerTimeout", \DaemonSettings.layerTimeout), ("interval", \.interval), ("baseInterval", \.baseInterval),
        ] {
            guard let value = root[key], let text = value.text else { continue }
            if let duration = duration(text) {
                settings[keyPath: path] = duration
            } else {
                findings.report(
                    .settingValue, at: value.place, "\(quoted(text)) is not a time for '\(key)'",
                    hint: "write a number with s, m or h, from 1s to 1000h: '90s', '15m', '2h'")
            }
        }
        return settings
    }

    /// The time that a text such as `90s`, `15m` or `2h` names.
    private static func duration(_ text: String) -> Duration? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600]
        guard let last = text.last, let unit = units[last], let number = Int(text.dropLast()), number > 0,
            number <= 3_600_000 / unit
        else { return nil }
        return .seconds(number * unit)
    }
}
