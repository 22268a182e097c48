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
        /// What its remote is shown, and who its notes are from.
        public var git = GitSettings()
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
    /// How many images are built at the same time.
    public var builders = 2
    /// The wait after the first failure that may pass by itself.
    public var retryWait: Duration = .seconds(15)
    /// The longest wait between two attempts.
    public var retryLimit: Duration = .seconds(1_800)
    /// How long layers that are being built have when the daemon is told to end.
    public var gracePeriod: Duration = .seconds(25)
    /// How long one layer may take.
    public var layerTimeout: Duration = .seconds(3_600)
    /// The longest time between two passes.
    public var interval: Duration = .seconds(60)
    /// The time between two lookups of bases.
    public var baseInterval: Duration = .seconds(900)
    /// How one of several daemons is elected; nil where this one is alone.
    public var lease: Lease? = Lease()
    /// The disk of the state directory.
    public var disk = DiskSettings()
    /// What remotes are shown where a repository does not say.
    public var git = GitSettings()
    /// Who may tell that something changed.
    public var webhooks: [WebhookSettings] = []
    /// Who is told when images fail and recover.
    public var notifications: [NotificationSettings] = []
    /// What is answered over HTTP; nil answers nothing.
    public var server: ServerSettings?

    /// Reads a configuration file; nil where anything is wrong with it, which the diagnostics tell with line and column.
    ///
    /// - Parameters:
    ///   - file: the file's name, for the diagnostics.
    ///   - environment: variables that beat the file, by `EnvironmentOverrides`.
    public static func read(
        _ text: String, file: String, environment: [String: String] = [:]
    ) -> (settings: DaemonSettings?, diagnostics: [Diagnostic]) {
        let findings = Findings()
        let place = Place(file: (try? RepositoryPath(file)) ?? .root, line: 1, column: 1)
        let settings = read(text, at: place, environment, findings)
        return (findings.isEmpty ? settings : nil, findings.sorted)
    }

    /// Whether two addresses are one repository, as far as their spelling tells.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        func core(_ address: String) -> Substring {
            var rest = address[...]
            while rest.last == "/" { rest.removeLast() }
            return rest.hasSuffix(".git") ? rest.dropLast(4) : rest
        }
        return core(one) == core(other)
    }

    private static func read(
        _ text: String, at start: Place, _ environment: [String: String], _ findings: Findings
    ) -> DaemonSettings? {
        let root = YamlReader(file: start.file, findings: findings).read(text).map {
            EnvironmentOverrides.apply(environment, to: $0)
        }
        guard let root, let entries = root.entries else {
            if findings.isEmpty {
                findings.report(.wrongType, at: start, "expected a mapping with the key 'repositories'")
            }
            return nil
        }
        ShapeCheck(findings: findings, isOfRepository: false).check(entries, at: root.place, against: DaemonKeys.all)
        guard findings.isEmpty else { return nil }
        var settings = DaemonSettings()
        for item in root["repositories"]?.items ?? [] {
            guard let repo = item["repo"], let address = repo.text else { continue }
            if settings.repositories.contains(where: { isSame($0.address, address) }) {
                findings.report(
                    .settingValue, at: repo.place,
                    "\(quoted(redacted(address))) is given twice; records, journal and lease belong to a repository, so a "
                        + "daemon follows one branch of it: for another one give a clone with records of its own, and another "
                        + "registry")
            }
            settings.repositories.append(
                Repository(
                    address: address, branch: item["branch"]?.text, registry: item["registry"]?.text,
                    git: GitSettings.read(item, findings)))
        }
        if settings.repositories.isEmpty {
            findings.report(.missingKey, at: root["repositories"]?.place ?? start, "expected at least one repository")
        }
        settings.webhooks = WebhookSettings.read(
            root["webhooks"], repositories: settings.repositories, findings)
        settings.notifications = NotificationSettings.read(
            root["notifications"], repositories: settings.repositories, findings)
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
        readLease(root["lease"], into: &settings, findings)
        settings.disk = DiskSettings.read(root["disk"], findings)
        settings.git = GitSettings.read(root, findings)
        for (key, path) in [
            ("layerTimeout", \DaemonSettings.layerTimeout), ("interval", \.interval), ("baseInterval", \.baseInterval),
            ("gracePeriod", \.gracePeriod), ("retryWait", \.retryWait), ("retryLimit", \.retryLimit),
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
    static func duration(_ text: String) -> Duration? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600]
        guard let last = text.last, let unit = units[last], let number = Int(text.dropLast()), number > 0,
            number <= 3_600_000 / unit
        else { return nil }
        return .seconds(number * unit)
    }
}
