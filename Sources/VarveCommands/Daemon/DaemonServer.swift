// SPDX-License-Identifier: Apache-2.0

import Glibc
import VarveDefinition
import VarveModel
import VarveReconcile
import VarveServer

extension HTTPService {
    /// The server of a daemon, over the loops of its repositories.
    ///
    /// - Parameters:
    ///   - metrics: what `/metrics` answers.
    ///   - webhooks: what answers `POST /webhooks/…`.
    /// - Throws: when the certificate cannot be used.
    init(
        _ settings: ServerSettings, _ members: [DaemonFleet.Member], interval: Duration,
        metrics: @escaping @Sendable () async -> String = { "" }, webhooks: (any WebhookResponder)? = nil
    ) throws {
        var tokens = TokenTable()
        for token in settings.tokens {
            _ = tokens.add(
                sha256: token.sha256,
                Principal(
                    user: token.user, name: token.name, email: token.email, groups: token.groups,
                    scopes: Set(token.scopes.compactMap(Scope.init(rawValue:)))))
        }
        var tls: HTTPSettings.TLSFiles?
        if let certificate = settings.certificate, let key = settings.key {
            tls = .init(certificate: GlobalOptions.absolute(certificate), key: GlobalOptions.absolute(key))
        }
        try self.init(
            HTTPSettings(
                host: settings.host, port: settings.port, tls: tls, tokens: tokens,
                areMetricsOpen: settings.openMetrics),
            repositories: Self.served(members, interval: interval), metrics: metrics, webhooks: webhooks)
    }

    /// The repositories by names of their own: two that differ in what is redacted are numbered.
    private static func served(_ members: [DaemonFleet.Member], interval: Duration) -> [ServedRepository] {
        var uses: [String: Int] = [:]
        return members.map { member in
            uses[member.name, default: 0] += 1
            let count = uses[member.name, default: 1]
            return ServedRepository(
                name: count == 1 ? member.name : "\(member.name)#\(count)", survey: member.workspace.survey,
                control: member.control, state: member.workspace.state, interval: interval,
                leader: { await member.leadership?.leader() },
                asked: { member.log.show(.asked($0)) }, now: { Timestamp(seconds: time(nil)) })
        }
    }
}

extension OutputFormat {
    /// Says where the server takes requests.
    func say(listeningOn url: String) {
        switch self {
        case .text: Output.line("listening on \(url)")
        case .json: Output.line((try? Output.jsonText(["event": "listening", "url": url], pretty: false)) ?? "")
        }
    }

    /// Says what a person should know of the server.
    func say(warning text: String) {
        switch self {
        case .text: Output.line("warning: \(text)")
        case .json: Output.line((try? Output.jsonText(["event": "warning", "message": text], pretty: false)) ?? "")
        }
    }
}
