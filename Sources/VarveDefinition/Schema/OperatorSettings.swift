// SPDX-License-Identifier: Apache-2.0

/// The settings of whoever runs varve, which are never read from a repository.
///
/// A repository that could set them could have its images published elsewhere, or be given other people's credentials.
enum OperatorSettings {
    private static let places: [String: String] = [
        "registry": "--registry or VARVE_REGISTRY",
        "plainhttp": "--plain-http",
        "credentials": "the login of 'skopeo login', which the environment of varve names",
        "auth": "the login of 'skopeo login', which the environment of varve names",
        "authfile": "the login of 'skopeo login', which the environment of varve names",
        "username": "the login of 'skopeo login', which the environment of varve names",
        "password": "the login of 'skopeo login', which the environment of varve names",
        "token": "the login of 'skopeo login', which the environment of varve names",
        "engine": "the daemon's configuration",
        "isolation": "--isolation",
        "statedir": "--state-dir or VARVE_STATE_DIR",
        "statedirectory": "--state-dir or VARVE_STATE_DIR",
        "repo": "--repo or VARVE_REPO",
        "repository": "--repo or VARVE_REPO",
        "builders": "--builders",
        "layertimeout": "--layer-timeout",
        "proxy": "the environment of varve",
        "interval": "the daemon's configuration",
    ]

    /// Where a setting of this name belongs; nil where it is no such setting.
    static func place(of key: String) -> String? {
        guard key.utf8.count <= 32 else { return nil }
        return places[key.lowercased().filter { $0 != "-" && $0 != "_" }]
    }
}
