// SPDX-License-Identifier: Apache-2.0

import CGit2
public import VarveModel

extension RepositoryHandle {
    /// What a reference points at, symbolic ones followed; nil where there is none.
    func reference(_ name: String) throws(GitError) -> RawID? {
        var oid = git_oid()
        let status = git_reference_name_to_id(&oid, pointer, name)
        if status == GIT_ENOTFOUND.rawValue { return nil }
        try check(status, "read reference '\(name)'")
        return RawID(oid)
    }

    /// Moves a reference from a known value to another; nil stands for a reference that is not there.
    ///
    /// The value is compared while the reference's lock file is held. (`git_reference_create_matching` checks that a
    /// reference does not exist before it takes the lock, so two that create it at once would both succeed.)
    ///
    /// - Returns: whether it was moved; false when the value was another or another writer held the lock.
    func moveReference(
        _ name: String, from old: RawID?, to new: RawID?, message: String, by author: GitSignature? = nil
    ) throws(GitError) -> Bool {
        let subject = "move reference '\(name)'"
        var transaction: OpaquePointer?
        try check(git_transaction_new(&transaction, pointer), subject)
        defer { git_transaction_free(transaction) }
        let status = git_transaction_lock_ref(transaction, name)
        if status == GIT_ELOCKED.rawValue { return false }
        try check(status, subject)
        guard try reference(name) == old else { return false }
        if old == new { return true }
        if var oid = new?.oid {
            let signature = try OwnedSignature(author ?? configuredSignature ?? .varve)
            try check(git_transaction_set_target(transaction, name, &oid, signature.pointer, message), subject)
        } else {
            try check(git_transaction_remove(transaction, name), subject)
        }
        try check(git_transaction_commit(transaction), subject)
        return true
    }

    /// The names of the references that match a pattern of git's `wildmatch`, sorted.
    func references(matching pattern: String) throws(GitError) -> [String] {
        var iterator: OpaquePointer?
        let subject = "list references '\(pattern)'"
        try check(git_reference_iterator_glob_new(&iterator, pointer, pattern), subject)
        defer { git_reference_iterator_free(iterator) }
        var names: [String] = []
        while true {
            var name: UnsafePointer<CChar>?
            let status = git_reference_next_name(&name, iterator)
            if status == GIT_ITEROVER.rawValue { break }
            try check(status, subject)
            if let name { names.append(String(cString: name)) }
        }
        return names.sorted()
    }

    /// The commit that a reference or `HEAD` leads to; nil where it is not there or has no commit yet.
    func commit(at name: String) throws(GitError) -> RawID? {
        guard let id = try reference(name) else { return nil }
        var oid = id.oid
        var object: OpaquePointer?
        var commit: OpaquePointer?
        let subject = "read the commit of '\(name)'"
        try check(git_object_lookup(&object, pointer, &oid, GIT_OBJECT_ANY), subject)
        defer { git_object_free(object) }
        try check(git_object_peel(&commit, object, GIT_OBJECT_COMMIT), subject)
        defer { git_object_free(commit) }
        guard let found = git_object_id(commit) else { throw GitError(.unknown, subject, "no id") }
        return RawID(found)
    }

    /// The commit that a revision expression names: `HEAD~2`, a branch, a tag, a (short) id.
    func resolve(_ revision: String) throws(GitError) -> RawID {
        let subject = "resolve revision '\(revision)'"
        var object: OpaquePointer?
        var commit: OpaquePointer?
        try check(git_revparse_single(&object, pointer, revision), subject)
        defer { git_object_free(object) }
        try check(git_object_peel(&commit, object, GIT_OBJECT_COMMIT), subject)
        defer { git_object_free(commit) }
        guard let found = git_object_id(commit) else { throw GitError(.unknown, subject, "no id") }
        return RawID(found)
    }
}

extension GitRepository {
    /// The commit that `HEAD` leads to, nil in a repository without a commit.
    public func head() throws(GitError) -> ObjectID? {
        try withHandle { (handle) throws(GitError) in try handle.commit(at: "HEAD")?.objectID() }
    }

    /// The commit that a revision expression names: `HEAD~2`, a branch, a tag, a (short) id.
    ///
    /// - Throws: `notFound`, `invalid`.
    public func resolve(_ revision: String) throws(GitError) -> ObjectID {
        try withHandle { (handle) throws(GitError) in try handle.resolve(revision).objectID() }
    }

    /// What a reference points at, nil where there is none.
    public func reference(_ name: String) throws(GitError) -> ObjectID? {
        try withHandle { (handle) throws(GitError) in try handle.reference(name)?.objectID() }
    }
}
