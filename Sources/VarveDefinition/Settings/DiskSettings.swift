// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// How much of the disk the operator gives to varve.
public struct DiskSettings: Hashable, Sendable {
    /// The bytes that must be free before something is built.
    public var reserve = 2 << 30
    /// The bytes that caches may take.
    public var cache = 20 << 30

    /// The defaults.
    public init() {}

    /// The keys of `disk`.
    public static let keys: [KeyDescription] = [
        KeyDescription(
            "reserve", .text, default: "2GiB", "What must be free on the state directory's disk before a build."),
        KeyDescription(
            "cache", .text, default: "20GiB", "What layers, their compressed forms and caches of steps may take."),
    ]

    /// The bytes that a size such as `20GiB` or `0` means; nil where it is none.
    public static func bytes(_ text: String) -> Int? { text == "0" ? 0 : FleetFile.bytes(text) }

    /// Reads `disk`.
    static func read(_ value: YamlValue?, _ findings: Findings) -> DiskSettings {
        var settings = DiskSettings()
        for (key, path) in [("reserve", \DiskSettings.reserve), ("cache", \.cache)] {
            guard let value = value?[key], let text = value.text else { continue }
            if let bytes = bytes(text) {
                settings[keyPath: path] = bytes
            } else {
                findings.report(
                    .settingValue, at: value.place, "\(quoted(text)) is not a size for '\(key)'",
                    hint: "write a number with MiB, GiB or TiB: '512MiB', '20GiB'")
            }
        }
        return settings
    }
}
