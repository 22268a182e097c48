// SPDX-License-Identifier: Apache-2.0

import Glibc

extension RepositoryHandle {
    private static var prefix: String { "refs/varve-push/" }
    /// Longer than any push takes.
    private static var lifetime: Int { 86_400 }

    /// Lends names for commits that no reference may name yet, since nothing has accepted them.
    ///
    /// The references are gone afterwards; those that a crash left behind go with a later call.
    func withTransientReferences<T>(
        to ids: [RawID], _ body: ([String]) throws(GitError) -> T
    ) throws(GitError) -> T {
        let now = time(nil)
        for name in try references(matching: Self.prefix + "*") {
            let made = Int(name.dropFirst(Self.prefix.count).prefix { $0 != "-" }) ?? 0
            if made < now - Self.lifetime { try remove(name) }
        }
        let token = "\(now)-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        var names: [String] = []
        for (index, id) in ids.enumerated() {
            let name = "\(Self.prefix)\(token)-\(index)"
            guard try moveReference(name, from: nil, to: id, message: "varve: push") else {
                throw GitError(.contended, "make reference '\(name)'", "it is there already")
            }
            names.append(name)
        }
        defer { for name in names { try? remove(name) } }
        return try body(names)
    }

    private func remove(_ name: String) throws(GitError) {
        _ = try moveReference(name, from: try reference(name), to: nil, message: "varve: pushed")
    }
}
