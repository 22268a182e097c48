// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Images of a few files, for tests in which no program runs inside the image.
public enum TinyImage {
    /// Makes an OCI layout with one image of one layer, tagged `latest`, and returns the layout's path.
    ///
    /// - Throws: `FixtureError` when a tool fails.
    public static func layout(
        in directory: TemporaryDirectory, named name: String, files: [String: String]
    ) async throws -> String {
        let layout = try directory.makeFolder(name)
        for (path, text) in files { try directory.write(text, to: name + ".files/" + path) }
        try await Command.run(
            "python3", [Fixtures.path("programs/oci-image.py"), layout, directory.path(name + ".files")])
        return layout
    }

    /// Copies a layout with one image so that only how it is packed differs.
    ///
    /// The gzip level and the manifest differ, and with `index` an image index stands in front; the image id stays.
    ///
    /// - Throws: `FixtureError` when a tool fails.
    public static func repack(
        _ layout: String, in directory: TemporaryDirectory, named name: String, level: Int = 1, index: Bool = false
    ) async throws -> String {
        let arguments = [Fixtures.path("programs/repack.py"), layout, directory.path(name), String(level)]
        try await Command.run("python3", arguments + (index ? ["index"] : []))
        return directory.path(name)
    }
}

extension TinyImage {
    /// Makes an OCI layout with the image of another layout and one layer more, and returns the new layout's path.
    ///
    /// - Throws: `FixtureError` when a tool fails.
    public static func layout(
        on base: String, in directory: TemporaryDirectory, named name: String, files: [String: String]
    ) async throws -> String {
        for (path, text) in files { try directory.write(text, to: name + ".files/" + path) }
        let arguments = [Fixtures.path("programs/repack.py"), base, directory.path(name), "1"]
        try await Command.run("python3", arguments + ["layer=" + directory.path(name + ".files")])
        return directory.path(name)
    }
}
