// SPDX-License-Identifier: Apache-2.0

/// Takes credentials out of every address in a text.
///
/// `https://user:word@host` and `https://token@host` become `https://host`; of `ssh://git:word@host` the user stays.
func withoutCredentials(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let separator = rest.firstRange(of: "://") {
        let isSSH = rest[..<separator.lowerBound].hasSuffix("ssh")
        result += rest[..<separator.upperBound]
        rest = rest[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" || $0.isWhitespace } ?? rest.endIndex
        guard let at = rest[..<end].lastIndex(of: "@") else { continue }
        if isSSH {
            let user = rest[..<at].prefix { $0 != ":" }
            result += user + "@"
        }
        rest = rest[rest.index(after: at)...]
    }
    return result + rest
}
