// SPDX-License-Identifier: Apache-2.0

/// A number of bytes for people: `999 B`, `1.5 KiB`, `20 GiB`.
public func sizeText(_ bytes: Int) -> String {
    var rest = bytes
    var unit = ""
    var tenths = 0
    for next in ["KiB", "MiB", "GiB", "TiB"] where abs(rest) >= 1024 {
        tenths = rest % 1024 * 10 / 1024
        rest /= 1024
        unit = next
    }
    if unit.isEmpty { return "\(rest) B" }
    return tenths == 0 ? "\(rest) \(unit)" : "\(rest).\(abs(tenths)) \(unit)"
}
