// SPDX-License-Identifier: Apache-2.0

import CGit2
public import VarveModel

extension GitNotesRecordStore {
    /// The names below which records are written.
    private static let namespaces = ["refs/notes/varve/", "refs/varve/"]

    /// Looks whether the remote answers, and whether what varve writes there is taken.
    ///
    /// Puts a reference that nothing reads below each namespace, and takes it away again. Without a remote, the repository
    /// itself is looked at.
    public func checks() async -> [HealthCheck] {
        do {
            return try await work { (handle, cancellation) throws(GitError) in
                guard let remote = try self.address(for: handle, forPush: true) else {
                    return try Self.checkFolder(handle, name: handle.gitFolder, author: self.author(handle))
                }
                if let folder = remote.folder {
                    let other = try RepositoryHandle.open(folder)
                    return try Self.checkFolder(other, name: folder, author: self.author(handle))
                }
                return try self.checkRemote(remote, handle, cancellation)
            }
        } catch {
            let place: String =
                switch options.remote {
                case .named(let name): name
                case .address(let text): text
                case .none: "this repository"
                }
            return [HealthCheck("remote \(withoutCredentials(place))", .failed, "\(error)", remedy: Self.remedy(error))]
        }
    }

    private static func makeNames() -> [String] {
        let token = "doctor-\(UInt32.random(in: 0 ... .max))"
        return namespaces.map { $0 + token }
    }

    /// A commit of nothing, which the remote's references can stand on.
    private static func makeCommit(
        in handle: borrowing RepositoryHandle, author: GitSignature
    ) throws(GitError) -> RawID {
        var batch = ObjectBatch()
        let tree = try batch.add([], GIT_OBJECT_TREE)
        let commit = try batch.addCommit(tree: tree, parents: [], message: "varve doctor", author: author)
        try handle.store(batch)
        return commit
    }

    private static func checkFolder(
        _ handle: borrowing RepositoryHandle, name: String, author: GitSignature
    ) throws(GitError) -> [HealthCheck] {
        var checks = [HealthCheck("repository \(name)", .ok, "it can be read")]
        for (namespace, ref) in zip(namespaces, makeNames()) {
            do throws(GitError) {
                let commit = try makeCommit(in: handle, author: author)
                _ = try handle.moveReference(ref, from: nil, to: commit, message: "varve: doctor", by: author)
                _ = try handle.moveReference(ref, from: commit, to: nil, message: "varve: doctor", by: author)
                checks.append(HealthCheck("push \(namespace)*", .ok, "a reference was written and removed"))
            } catch {
                checks.append(
                    HealthCheck(
                        "push \(namespace)*", .failed, "\(error)",
                        remedy: "give the user of varve the right to write in '\(name)'"))
            }
        }
        return checks
    }

    private func checkRemote(
        _ remote: RemoteAddress, _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) throws(GitError) -> [HealthCheck] {
        let count = try handle.connect(to: remote, .fetch, options.credentials, cancellation).heads().count
        var checks = [HealthCheck("remote \(remote.redacted)", .ok, "it answers, with \(count) references")]
        let names = Self.makeNames()
        let author = author(handle)
        do throws(GitError) {
            let commit = try Self.makeCommit(in: handle, author: author)
            let answers = try handle.withTransientReferences(to: [commit]) { (sources) throws(GitError) in
                var answers: [String: RemoteDialogue.Answer] = [:]
                // One by one: a server may take all references of a push or none.
                for name in names {
                    let connection = try handle.connect(to: remote, .push, self.options.credentials, cancellation)
                    answers.merge(try connection.push(sources.map { ($0, name) })) { _, new in new }
                }
                return answers
            }
            for (namespace, name) in zip(Self.namespaces, names) {
                checks.append(check(answers[name], name, namespace, remote, handle, cancellation))
            }
        } catch {
            checks.append(HealthCheck("push \(remote.redacted)", .failed, "\(error)", remedy: Self.remedy(error)))
        }
        return checks
    }

    private func check(
        _ answer: RemoteDialogue.Answer?, _ name: String, _ namespace: String, _ remote: RemoteAddress,
        _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) -> HealthCheck {
        guard case .accepted = answer else {
            let cause = if case .refused(let text) = answer { text } else { "the server did not report on it" }
            return HealthCheck(
                "push \(namespace)*", .failed, "the server refused it: \(cause)",
                remedy:
                    "allow \(namespace)* to be written there: a hook, a protected reference or a missing right is in the way"
            )
        }
        do throws(GitError) {
            let connection = try handle.connect(to: remote, .push, options.credentials, cancellation)
            if case .accepted = try connection.push([("", name)])[name] {
                return HealthCheck("push \(namespace)*", .ok, "a reference was written and removed")
            }
        } catch {
            // Told below: what is left is the same, whatever kept it there.
        }
        return HealthCheck(
            "push \(namespace)*", .warning, "it can be written, but '\(name)' could not be removed again",
            remedy: "nothing reads it; remove it with: git push --delete \(remote.redacted) \(name)")
    }

    private static func remedy(_ error: GitError) -> String {
        switch error.code {
        case .unauthorized:
            "name credentials that may read and write: 'credentials' in the configuration file, ~/.ssh, ~/.netrc"
        case .unreachable: "check the address, the network and the proxy"
        case .notFound: "check the address; hosts also say so where the credentials may not see the repository"
        case .untrustedHost: "check whose key or certificate it is, then name it as the message says"
        case .refused: "allow refs/notes/varve/* and refs/varve/* to be written there"
        case .notOwned: "run: git config --global --add safe.directory DIR"
        default: "see the message"
        }
    }
}
