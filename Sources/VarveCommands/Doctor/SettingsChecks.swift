// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveBuild
import VarveDefinition
import VarveModel
import VarveServer

/// What `varve doctor` looks at in a daemon's configuration, key by key.
struct SettingsChecks {
    let settings: DaemonSettings
    let file: String
    let environment: [String: String]

    /// A check a key that can be wrong although it is well formed, and one that says which variables beat the file.
    func checks() -> [HealthCheck] {
        [source, builders, intervals] + plainHTTP + git(settings.git, "")
            + settings.repositories.enumerated().flatMap { git($1.git, "repositories[\($0)].") } + addresses + secrets
            + (settings.server.map(ServerChecks.init)?.checks() ?? [])
    }

    private var source: HealthCheck {
        let set = EnvironmentOverrides.names().map(\.variable).filter { !(environment[$0] ?? "").isEmpty }
        let more = set.isEmpty ? "" : "; set by the environment: " + set.joined(separator: ", ")
        return HealthCheck("configuration", .ok, "\(file): \(settings.repositories.count) repositories" + more)
    }

    private var builders: HealthCheck {
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let text = "\(settings.builders) on \(processors) processors"
        return settings.builders <= max(2, 2 * processors)
            ? HealthCheck("key builders", .ok, text)
            : HealthCheck("key builders", .warning, text, remedy: "builds slow each other down: lower it")
    }

    private var intervals: HealthCheck {
        settings.baseInterval >= settings.interval
            ? HealthCheck("key interval", .ok, "\(settings.interval), bases \(settings.baseInterval)")
            : HealthCheck(
                "key baseInterval", .warning,
                "\(settings.baseInterval) is shorter than the interval \(settings.interval)",
                remedy: "bases are looked up at most once a pass: raise it, or lower 'interval'")
    }

    private var plainHTTP: [HealthCheck] {
        settings.plainHTTPHosts.map { host in
            let isHere = ["127.", "localhost", "[::1]"].contains { host.hasPrefix($0) }
            return isHere
                ? HealthCheck("key plainHTTP", .ok, host)
                : HealthCheck(
                    "key plainHTTP", .warning, "images and passwords for '\(host)' cross the network readable",
                    remedy: "give the registry TLS, or make sure that the network is your own")
        }
    }

    private var addresses: [HealthCheck] {
        let doubled = Dictionary(grouping: settings.repositories, by: { $0.address + "\u{0}" + ($0.branch ?? "") })
        return doubled.values.filter { $0.count > 1 }.map { group in
            HealthCheck(
                "key repositories", .failed, "'\(group[0].address)' stands there \(group.count) times",
                remedy: "name each repository once")
        }
    }

    private func git(_ git: GitSettings, _ prefix: String) -> [HealthCheck] {
        let files: [(String, String?, Bool)] = [
            ("sshKey", git.sshKey, true), ("tokenFile", git.tokenFile, true), ("netrc", git.netrc, true),
            ("knownHosts", git.knownHosts, false),
        ]
        var checks = files.compactMap { name, path, isSecret in
            path.map { Self.check(file: $0, key: "key \(prefix)credentials.\(name)", isSecret: isSecret) }
        }
        if let name = git.name, let email = git.email {
            checks.append(HealthCheck("key \(prefix)identity", .ok, "\(name) <\(email)>"))
        }
        return checks
    }

    /// What webhooks and notifications prove themselves by.
    private var secrets: [HealthCheck] {
        var files: [(key: String, path: String?)] = settings.webhooks.map {
            ("webhooks[\($0.name)].secretFile", $0.secretFile)
        }
        for (index, told) in settings.notifications.enumerated() {
            let prefix = "notifications[\(index)]."
            files += [
                (prefix + "urlFile", told.urlFile), (prefix + "secretFile", told.secretFile),
                (prefix + "tokenFile", told.tokenFile),
            ]
        }
        var checks = files.compactMap { key, path -> HealthCheck? in
            guard let path = path.map(GlobalOptions.absolute) else { return nil }
            let check = Self.check(file: path, key: "key " + key, isSecret: true)
            guard check.outcome != .failed else { return check }
            do throws(SecretFileError) {
                _ = try Secret(file: path)
                return check
            } catch {
                return HealthCheck(check.name, .failed, error.cause, remedy: "write the secret alone into '\(path)'")
            }
        }
        if settings.server == nil, !settings.webhooks.isEmpty {
            checks.append(
                HealthCheck("key webhooks", .failed, "nothing listens for them", remedy: "add 'server' to the file"))
        }
        return checks
    }

    /// Whether a file is there, holds something, and, of a secret, is readable by its owner alone.
    static func check(file path: String, key: String, isSecret: Bool) -> HealthCheck {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, R_OK) == 0 else {
            return HealthCheck(
                key, .failed, "'\(path)' is not a file that can be read", remedy: "make it, or correct the path")
        }
        guard status.st_size > 0 else {
            return HealthCheck(key, .failed, "'\(path)' is empty", remedy: "write the secret into it")
        }
        if isSecret, status.st_mode & 0o077 != 0 {
            return HealthCheck(
                key, .warning, "others than its owner may use '\(path)'", remedy: "chmod 600 '\(path)'")
        }
        return HealthCheck(key, .ok, path)
    }
}
