// SPDX-License-Identifier: Apache-2.0

import Glibc
import VarveBuild
import VarveDefinition
import VarveModel
import VarveServer

/// What `varve doctor` looks at of what the daemon is to answer with over HTTP.
struct ServerChecks {
    let settings: ServerSettings

    /// The certificate, its key, and who may ask.
    func checks() -> [HealthCheck] { certificate + [tokens] }

    private var certificate: [HealthCheck] {
        guard let certificate = settings.certificate, let key = settings.key else { return [] }
        let files = HTTPSettings.TLSFiles(
            certificate: GlobalOptions.absolute(certificate), key: GlobalOptions.absolute(key))
        let name = "key server.certificate"
        let found = [
            SettingsChecks.check(file: files.certificate, key: name, isSecret: false),
            SettingsChecks.check(file: files.key, key: "key server.key", isSecret: true),
        ]
        guard !found.contains(where: { $0.outcome == .failed }) else { return found }
        do {
            return [validity(of: try ServedCertificate(files), name), found[1]]
        } catch {
            return [
                HealthCheck(
                    name, .failed, "\(error)",
                    remedy: "give the certificate, its chain and the key that belongs to it, PEM"),
                found[1],
            ]
        }
    }

    private func validity(of certificate: ServedCertificate, _ name: String) -> HealthCheck {
        let now = Timestamp(seconds: time(nil))
        let remedy = "renew it; a daemon that runs takes the new files up within a minute"
        if now < certificate.start {
            return HealthCheck(
                name, .failed, "it is not valid before \(certificate.start)", remedy: "set the clock, or wait")
        }
        if now >= certificate.end {
            return HealthCheck(name, .failed, "it has not been valid since \(certificate.end)", remedy: remedy)
        }
        let isLong = certificate.end.seconds - now.seconds > 7 * 86_400
        return HealthCheck(
            name, isLong ? .ok : .warning, "it is valid until \(certificate.end)", remedy: isLong ? nil : remedy)
    }

    /// Hashes and scopes are well formed, or the file would have been refused.
    private var tokens: HealthCheck {
        let name = "key server.tokens"
        guard !settings.tokens.isEmpty else {
            return HealthCheck(
                name, .warning, "nobody may ask for anything", remedy: "add what 'varve token --user NAME' prints")
        }
        let scopes = Scope.allCases.map { scope in
            "\(settings.tokens.count { $0.scopes.contains(scope.rawValue) }) may \(scope.rawValue)"
        }
        return HealthCheck(name, .ok, "\(settings.tokens.count) tokens: " + scopes.joined(separator: ", "))
    }
}
