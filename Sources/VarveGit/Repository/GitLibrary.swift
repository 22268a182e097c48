// SPDX-License-Identifier: Apache-2.0

import CGit2
import Glibc

/// The settings that libgit2 keeps for the whole process.
public enum GitLibrary {
    /// The objects that libgit2 keeps in memory, over all repositories; its default of 256 MB is more than varve may use.
    private static let cacheLimit = 8 * 1_024 * 1_024

    /// The packs that are kept open, over all repositories; libgit2 has no limit of its own, the system one of 1,024 files.
    private static let openPackLimit = 128

    /// Starts libgit2 once: Swift runs the initialiser of a static exactly once, whichever thread comes first.
    private static let startStatus: Int32 = {
        let status = git_libgit2_init()
        guard status >= 0 else { return status }
        // What `append` reports as written must survive a power cut.
        varve_git_enable_fsync(1)
        varve_git_set_cache_max_size(cacheLimit)
        varve_git_set_open_pack_limit(openPackLimit)
        // A folder of thousands of images is read for each commit of a walk, once as a child and once as a parent.
        varve_git_set_cache_object_limit(GIT_OBJECT_TREE, cacheLimit / 8)
        let file = environment("SSL_CERT_FILE")
        let folder = environment("SSL_CERT_DIR")
        if file != nil || folder != nil {
            let status = varve_git_set_ssl_cert_locations(file, folder)
            guard status >= 0 else { return status }
        }
        followGitEnvironment()
        return 1
    }()

    /// Starts libgit2; every way to open a repository calls this.
    static func start() throws(GitError) {
        guard startStatus >= 0 else { throw GitError(status: startStatus, "start libgit2") }
    }

    /// Makes libgit2 read no configuration but the repository's own, for the rest of the process.
    ///
    /// Tests use this.
    public static func isolateConfiguration() throws(GitError) {
        try start()
        for level in [GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL] {
            try check(varve_git_set_search_path(level.rawValue, ""), "isolate git's configuration")
        }
    }

    /// git honours `GIT_CONFIG_NOSYSTEM` and an empty `GIT_CONFIG_GLOBAL`; libgit2 1.5 knows neither.
    private static func followGitEnvironment() {
        if let value = environment("GIT_CONFIG_NOSYSTEM"), !["0", "false", "no", "off"].contains(value.lowercased()) {
            varve_git_set_search_path(GIT_CONFIG_LEVEL_SYSTEM.rawValue, "")
        }
        if let value = getenv("GIT_CONFIG_GLOBAL").map({ String(cString: $0) }), value.isEmpty || value == "/dev/null" {
            varve_git_set_search_path(GIT_CONFIG_LEVEL_GLOBAL.rawValue, "")
            varve_git_set_search_path(GIT_CONFIG_LEVEL_XDG.rawValue, "")
        }
    }

    /// A variable of the environment that is set and not empty.
    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
