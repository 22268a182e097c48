// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
import VarveModel
import VarveReconcile
import VarveServer

/// What a daemon is told and tells beside its API: webhooks, notifications and metrics.
struct DaemonHooks: Sendable {
    let metrics: DaemonMetrics
    private let webhooks: [Webhook]
    private let notifications: [NotificationSettings]

    /// Reads the secrets of the webhooks.
    ///
    /// - Throws: `SecretFileError`.
    init(_ settings: DaemonSettings, now: @escaping @Sendable () -> Timestamp) throws {
        metrics = DaemonMetrics(now: now)
        webhooks = try settings.webhooks.map { try Webhook($0, path: GlobalOptions.absolute) }
        notifications = settings.notifications
    }

    /// Who tells of a repository's images; reads the secrets of the notifications.
    ///
    /// - Parameter address: the repository as the configuration has it.
    /// - Throws: `SecretFileError`, `NotificationError`.
    func notifier(
        of address: String, state: StateDirectory, pass: PassSettings, warn: @escaping @Sendable (String) -> Void
    ) throws -> Notifier {
        try Notifier(
            notifications, repository: address, directory: state, host: pass.host, path: GlobalOptions.absolute,
            now: pass.now, warn: warn, observe: { [metrics] in metrics.note($1, of: $0) })
    }

    /// The routes of the webhooks.
    func routes(_ targets: [WebhookTarget]) -> WebhookRoutes {
        WebhookRoutes(webhooks, targets: targets) { [metrics] in metrics.note($1, of: $0) }
    }
}
