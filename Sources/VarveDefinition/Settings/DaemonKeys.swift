// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The keys of the daemon's configuration file.
///
/// These are the operator's: none of them is ever read from a repository of definitions.
public enum DaemonKeys {
    /// The keys of the document itself.
    public static let all: [KeyDescription] = [
        KeyDescription(
            "repositories", .list(.record(repository)), default: nil, "The repositories that are kept up to date."),
        KeyDescription(
            "stateDir", .text, default: "$VARVE_STATE_DIR, else $XDG_STATE_HOME/varve",
            "The folder of the store, the journal and the logs."),
        KeyDescription(
            "registry", .text, default: "$VARVE_REGISTRY, else oci:<stateDir>/images",
            "Where images are published: HOST/PREFIX or oci:DIR."),
        KeyDescription(
            "plainHTTP", .list(.text), default: "empty", "Registry hosts that are spoken to without TLS: HOST:PORT."),
        KeyDescription(
            "isolation", .word(["chroot", "oci", "rootless"]), default: "chroot", "How build steps are isolated."),
        KeyDescription(
            "builders", .text, default: "2", "How many images are built at the same time, of all repositories together."
        ),
        KeyDescription(
            "gracePeriod", .text, default: "25s",
            "How long layers that are being built have to finish when the daemon is told to end."),
        KeyDescription("layerTimeout", .text, default: "1h", "How long one layer may take: 90s, 30m, 2h."),
        KeyDescription("interval", .text, default: "60s", "The longest time between two passes."),
        KeyDescription(
            "baseInterval", .text, default: "15m",
            "How often bases are looked up in their registries and published images are checked."),
        KeyDescription(
            "retryWait", .text, default: "15s",
            "The wait after a failure that may pass by itself; each further one doubles it."),
        KeyDescription("retryLimit", .text, default: "30m", "The longest wait between two attempts."),
        KeyDescription(
            "lease", .textOrRecord(lease), default: "on",
            "The lease by which one of several daemons builds; off for none."),
        KeyDescription("disk", .record(DiskSettings.keys), default: "see its keys", "The disk of the state directory."),
        KeyDescription(
            "credentials", .record(GitSettings.credentialKeys), default: "see its keys", "What Git remotes are shown."),
        KeyDescription(
            "identity", .record(GitSettings.identityKeys), default: "see its keys", "Who the notes' commits are from."),
        KeyDescription(
            "webhooks", .list(.record(WebhookSettings.keys)), default: "none", "Who may tell that something changed."),
        KeyDescription(
            "notifications", .list(.record(NotificationSettings.keys)), default: "none",
            "Who is told when images fail and recover."),
        KeyDescription("server", .record(server), default: "no server", "What is answered over HTTP, and to whom."),
    ]

    /// The keys of one repository.
    public static let repository: [KeyDescription] = [
        KeyDescription("repo", .text, default: nil, "A folder or a URL."),
        KeyDescription("branch", .text, default: "the repository's HEAD", "The branch to follow."),
        KeyDescription("registry", .text, default: "the daemon's", "Where this repository's images are published."),
        KeyDescription(
            "credentials", .record(GitSettings.credentialKeys), default: "the daemon's",
            "What this repository's remote is shown."),
        KeyDescription(
            "identity", .record(GitSettings.identityKeys), default: "the daemon's",
            "Who the commits of this repository's notes are from."),
    ]
}
