// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

extension GitRepository {
    /// Seconds; a lock is held for the blink of an eye, so that one of this age belongs to nobody.
    private static var age: Int { 10 }

    /// Removes the locks that a killed process has left in a repository that varve alone writes to.
    func removeStaleLocks() {
        removeStale(locks(under: "refs") + ["config", "HEAD", "packed-refs"].map { "\(gitFolder)\($0).lock" })
    }

    /// Removes the locks that a killed process has left on varve's own references; those of others are their owner's.
    func removeStaleLocksOfRecords() { removeStale(locks(under: "refs/varve") + locks(under: "refs/notes/varve")) }

    /// No reference may end in `.lock` (git-check-ref-format(1), rule 1), so a file that does is a lock.
    private func locks(under folder: String) -> [String] {
        let root = gitFolder + folder
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        return names.filter { $0.hasSuffix(".lock") }.map { "\(root)/\($0)" }
    }

    private func removeStale(_ paths: [String]) {
        for path in paths {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                time(nil) - status.st_mtim.tv_sec > Self.age
            else { continue }
            unlink(path)
        }
    }
}
