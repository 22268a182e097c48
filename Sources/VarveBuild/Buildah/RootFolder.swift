// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The root folder of a working container, as varve sees it from outside.
///
/// What is in there was made by the steps and by whoever made the base, so no symbolic link is ever followed: a link
/// `/run -> /` would otherwise lead a removal out of the container.
struct RootFolder: Sendable {
    private let path: String

    /// The folder at a path of the host.
    init(_ path: String) { self.path = path }

    /// Whether something is at a path, or at a link on the way to it.
    func exists(_ relative: String) -> Bool {
        (try? withParent(of: relative) { folder, name in
            var status = stat()
            return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        }) ?? false
    }

    /// Removes what is at a path, with all that is in it; nothing where it is behind a link.
    func remove(_ relative: String) {
        _ = try? withParent(of: relative) { folder, name in Self.remove(name, in: folder) }
    }

    /// Removes a folder where it is empty.
    func removeEmptyFolder(_ relative: String) {
        _ = try? withParent(of: relative) { folder, name in unlinkat(folder, name, AT_REMOVEDIR) }
    }

    /// Removes a file where it is empty: what a mount leaves where there was nothing.
    func removeEmptyFile(_ relative: String) {
        _ = try? withParent(of: relative) { folder, name in
            var status = stat()
            guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_size == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { return }
            unlinkat(folder, name, 0)
        }
    }

    private struct Unreachable: Error {}

    private func withParent<Result>(of relative: String, _ body: (Int32, String) throws -> Result) throws -> Result {
        let components = relative.split(separator: "/").map(String.init)
        guard let name = components.last else { throw Unreachable() }
        var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Unreachable() }
        defer { close(folder) }
        for component in components.dropLast() {
            let next = openat(folder, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw Unreachable() }
            close(folder)
            folder = next
        }
        return try body(folder, name)
    }

    private static func remove(_ name: String, in parent: Int32) {
        if unlinkat(parent, name, 0) == 0 { return }
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        guard let stream = fdopendir(folder) else {
            close(folder)
            return
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let child = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if child != ".", child != ".." { remove(child, in: folder) }
        }
        unlinkat(parent, name, AT_REMOVEDIR)
    }
}
