// SPDX-License-Identifier: Apache-2.0

import CGit2

extension RepositoryHandle {
    /// Sets a value in the repository's own configuration file.
    func setConfiguration(_ name: String, _ value: String) throws(GitError) {
        try withOwnConfiguration { (configuration) throws(GitError) in
            try check(git_config_set_string(configuration, name, value), "set '\(name)'")
        }
    }

    /// Adds a value to a multiple setting of the repository's own configuration file, unless it is there.
    func addConfiguration(_ name: String, _ value: String) throws(GitError) {
        try withOwnConfiguration { (configuration) throws(GitError) in
            let subject = "add to '\(name)'"
            var iterator: OpaquePointer?
            let status = git_config_multivar_iterator_new(&iterator, configuration, name, nil)
            if status >= 0 {
                defer { git_config_iterator_free(iterator) }
                var entry: UnsafeMutablePointer<git_config_entry>?
                while git_config_next(&entry, iterator) >= 0 {
                    if let found = entry?.pointee.value, String(cString: found) == value { return }
                }
            } else if status != GIT_ENOTFOUND.rawValue {
                try check(status, subject)
            }
            // A pattern that matches no value makes libgit2 add one.
            try check(git_config_set_multivar(configuration, name, "^$", value), subject)
        }
    }

    /// The settings whose names begin so, in order.
    ///
    /// Later ones count more; sections and variables are in lower case. One by one: libgit2's own search by a pattern loses memory with each match that it tries.
    func configuration(startingWith prefix: String) throws(GitError) -> [(name: String, value: String)] {
        let subject = "read the configuration"
        var all: OpaquePointer?
        var iterator: OpaquePointer?
        try check(git_repository_config_snapshot(&all, pointer), subject)
        defer { git_config_free(all) }
        try check(git_config_iterator_new(&iterator, all), subject)
        defer { git_config_iterator_free(iterator) }
        var found: [(name: String, value: String)] = []
        var entry: UnsafeMutablePointer<git_config_entry>?
        while git_config_next(&entry, iterator) >= 0 {
            guard let entry = entry?.pointee, let name = entry.name.map({ String(cString: $0) }), name.hasPrefix(prefix)
            else { continue }
            found.append((name, entry.value.map { String(cString: $0) } ?? ""))
        }
        return found
    }

    private func withOwnConfiguration(_ body: (OpaquePointer) throws(GitError) -> Void) throws(GitError) {
        var all: OpaquePointer?
        var own: OpaquePointer?
        try check(git_repository_config(&all, pointer), "read the configuration")
        defer { git_config_free(all) }
        try check(git_config_open_level(&own, all, GIT_CONFIG_LEVEL_LOCAL), "read the configuration")
        defer { git_config_free(own) }
        guard let own else { throw GitError(.unknown, "read the configuration", "no handle") }
        try body(own)
    }
}

extension GitRepository {
    /// Makes `git fetch` bring the build records and `git log` show them.
    ///
    /// Adds the notes refspec to `remote.NAME.fetch` where there is such a remote, and sets `notes.displayRef`. What is
    /// there already is not written again.
    ///
    /// - Throws: `fileSystem`, `invalid`.
    public func configureNotes(remote: String = "origin") throws(GitError) {
        try withHandle { (handle) throws(GitError) in
            if try handle.address(ofRemote: remote) != nil {
                try handle.addConfiguration("remote.\(remote).fetch", RecordRef.refspecs[0])
            }
            try handle.addConfiguration("notes.displayRef", "refs/notes/varve/*")
        }
    }
}
