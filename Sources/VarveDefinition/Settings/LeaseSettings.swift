// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension DaemonKeys {
    /// The keys of `lease`.
    public static let lease: [KeyDescription] = [
        KeyDescription(
            "length", .text, default: "60s", "How long others wait before they take over from a daemon that is gone."),
        KeyDescription("holder", .text, default: "the host's name", "What this daemon is called in the lease."),
    ]
}

extension DaemonSettings {
    /// How one of several daemons is elected.
    public struct Lease: Hashable, Sendable {
        /// How long others must see the same lease before they take it.
        public var length: Duration = .seconds(60)
        /// What this daemon is called; nil takes the host's name.
        public var holder: String?
    }

    /// Reads `lease`: `on`, `off`, or a mapping.
    static func readLease(_ value: YamlValue?, into settings: inout DaemonSettings, _ findings: Findings) {
        guard let value else { return }
        if let word = value.text {
            switch word {
            case "on", "true": break
            case "off", "false": settings.lease = nil
            default:
                findings.report(
                    .settingValue, at: value.place, "\(quoted(word)) is no setting of 'lease'",
                    hint: "write 'on', 'off', or a mapping with 'length' and 'holder'")
            }
            return
        }
        var lease = Lease()
        if let length = value["length"], let text = length.text {
            if let duration = duration(text), duration <= .seconds(3_600) {
                lease.length = duration
            } else {
                findings.report(
                    .settingValue, at: length.place, "\(quoted(text)) is not a time for 'length'",
                    hint: "write a number with s, m or h, from 1s to 1h: '30s', '1m'")
            }
        }
        if let holder = value["holder"], let text = holder.text {
            if text.isEmpty || text.utf8.count > 100 || text != singleLine(text) {
                findings.report(
                    .settingValue, at: holder.place, "expected a name of 1 to 100 bytes on one line")
            } else {
                lease.holder = text
            }
        }
        settings.lease = lease
    }
}
