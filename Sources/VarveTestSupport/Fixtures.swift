// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where the tests' files stand.
public enum Fixtures {
    /// The root of the checkout.
    public static let checkout: String = {
        let file = URL(filePath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// The path of a file under `Tests/fixtures`.
    public static func path(_ name: String) -> String { checkout + "/Tests/fixtures/" + name }

    /// The contents of a file under `Tests/fixtures`.
    ///
    /// - Throws: when it cannot be read.
    public static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }
}
