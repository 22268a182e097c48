// SPDX-License-Identifier: Apache-2.0

public import VarveModel

extension BuildRecord {
    /// The line that stands in `refs/notes/varve/log`: for people, sortable, one event.
    ///
    /// `2026-11-23T11:05:08Z ds-python built in 154s; built pip postBuild; reused base apt conda; because pip
    /// +polars>=1 -polars>=0.20; registry.example.com/ds-python@sha256:…`
    public var logLine: String {
        var parts = ["\(start) \(image) \(status.rawValue)"]
        switch status {
        case .built, .error:
            parts[0] += " in \(wholeSeconds)s"
            for action in [LayerRecord.Action.built, .failed, .reused] {
                let kinds = layers.filter { $0.action == action }.map(\.kind.rawValue)
                if !kinds.isEmpty { parts.append("\(action.rawValue) \(kinds.joined(separator: " "))") }
            }
            let because = reasons.map(\.description).joined(separator: ", ")
            parts.append("because " + singleLine(because, limit: 500))
        case .adopted: parts.append("same meaning as before")
        default: break
        }
        if let error { parts.append(singleLine(error.message, limit: 500)) }
        if let reference { parts.append(reference) }
        return singleLine(redacted(parts.joined(separator: "; ")), limit: 2_000)
    }
}
