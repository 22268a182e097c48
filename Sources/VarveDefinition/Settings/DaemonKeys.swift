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
            "builders", .text, default: "2", "How many images of one repository are built at the same time."),
        KeyDescription("layerTimeout", .text, default: "1h", "How long one layer may take: 90s, 30m, 2h."),
        KeyDescription("interval", .text, default: "60s", "The longest time between two passes."),
        KeyDescription(
            "baseInterval", .text, default: "15m",
            "How often bases are looked up in their registries and published images are checked."),
        KeyDescription("server", .record(server), default: "no server", "What is answered over HTTP, and to whom."),
    ]

    /// The keys of one repository.
    public static let repository: [KeyDescription] = [
        KeyDescription("repo", .text, default: nil, "A folder or a URL."),
        KeyDescription("branch", .text, default: "the repository's HEAD", "The branch to follow."),
        KeyDescription("registry", .text, default: "the daemon's", "Where this repository's images are published."),
    ]
}
