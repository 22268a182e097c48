// SPDX-License-Identifier: Apache-2.0

import CGit2

/// Who varve says it is in the commits that it writes.
public struct GitSignature: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The mail address.
    public var email: String

    /// A name and a mail address.
    public init(name: String, email: String) {
        self.name = name
        self.email = email
    }

    /// Used where neither the caller nor the repository's configuration names anyone.
    public static let varve = GitSignature(name: "varve", email: "varve@localhost")
}

/// A `git_signature` of this moment, freed with the value.
struct OwnedSignature: ~Copyable {
    let pointer: UnsafeMutablePointer<git_signature>

    init(_ signature: GitSignature) throws(GitError) {
        var pointer: UnsafeMutablePointer<git_signature>?
        let subject = "sign as '\(signature.name) <\(signature.email)>'"
        try check(git_signature_now(&pointer, signature.name, signature.email), subject)
        guard let pointer else { throw GitError(.unknown, subject, "no signature") }
        self.pointer = pointer
    }

    deinit { git_signature_free(pointer) }
}

extension RepositoryHandle {
    /// `user.name` and `user.email` of the configuration, nil where one is missing.
    var configuredSignature: GitSignature? {
        var pointer: UnsafeMutablePointer<git_signature>?
        guard git_signature_default(&pointer, self.pointer) >= 0, let pointer else { return nil }
        defer { git_signature_free(pointer) }
        return GitSignature(name: String(cString: pointer.pointee.name), email: String(cString: pointer.pointee.email))
    }
}

extension ObjectBatch {
    /// Takes in a commit of this moment.
    mutating func addCommit(
        tree: RawID, parents: [RawID], message: String, author: GitSignature
    ) throws(GitError) -> RawID {
        let signature = try OwnedSignature(author)
        let stamp = signature.pointer.pointee.when
        let zone = abs(Int(stamp.offset))
        let digits = String(10_000 + zone / 60 * 100 + zone % 60).dropFirst()
        // The parts are put together here because git_commit_create wants every parent as an open object.
        let who =
            "\(String(cString: signature.pointer.pointee.name)) <\(String(cString: signature.pointer.pointee.email))>"
            + " \(stamp.time) \(stamp.offset < 0 ? "-" : "+")\(digits)"
        var text = "tree \(tree.hex)\n"
        for parent in parents { text += "parent \(parent.hex)\n" }
        text += "author \(who)\ncommitter \(who)\n\n\(message)\n"
        return try add(Array(text.utf8), GIT_OBJECT_COMMIT)
    }
}
