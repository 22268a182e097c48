// SPDX-License-Identifier: Apache-2.0

/// Makes any text safe to put on one line of a note, a log or a terminal.
///
/// Control characters, line separators and bidirectional overrides become `\u{…}` escapes, so that a definition or a
/// build cannot forge a second line or drive a terminal; a text longer than `limit` characters is cut and ends in `…`.
public func singleLine(_ text: some StringProtocol, limit: Int = .max) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count >= limit {
            result += "…"
            break
        }
        count += 1
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}

/// Texts sorted by their bytes, without duplicates.
///
/// Not by `String`'s own order and equality, which take two spellings of one character for equal: which of the two a
/// `Set` keeps would depend on chance.
func canonicalSet(_ texts: [String]) -> [String] {
    var result: [String] = []
    for text in texts.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        if let last = result.last, last.utf8.elementsEqual(text.utf8) { continue }
        result.append(text)
    }
    return result
}
