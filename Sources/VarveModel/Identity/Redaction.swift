// SPDX-License-Identifier: Apache-2.0

/// Replaces what looks like a credential by `***`: user information in URLs, `Authorization` headers, what follows
/// `Bearer` or `Basic`, and values of words such as `token=`, `password:` or `secret=`.
///
/// A net under the rule that credentials are never handed to a step, not a licence to print them.
public func redacted(_ text: String) -> String {
    redactedSchemes(redactedAssignments(redactedUserInformation(text)))
}

/// `scheme://user:password@host` becomes `scheme://***@host`.
private func redactedUserInformation(_ text: String) -> String {
    var result: [UInt8] = []
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
        guard bytes[index...].starts(with: "://".utf8) else {
            result.append(bytes[index])
            index += 1
            continue
        }
        result += Array("://".utf8)
        index += 3
        let end =
            bytes[index...].firstIndex { [0x2f, 0x20, 0x09, 0x0a, 0x0d, 0x22, 0x27, 0x3f, 0x23].contains($0) }
            ?? bytes.count
        if let at = bytes[index..<end].lastIndex(of: 0x40) {
            result += Array("***".utf8)
            index = at
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private let credentialWords = [
    "authorization", "password", "passwd", "token", "secret", "api_key", "apikey", "access_key",
]

/// The value after a credential's name and `=` or `:` becomes `***`.
private func redactedAssignments(_ text: String) -> String {
    let lower = text.lowercased()
    guard credentialWords.contains(where: { lower.contains($0) }) else { return text }
    var result = ""
    var rest = Substring(text)
    while let separator = rest.firstIndex(where: { $0 == "=" || $0 == ":" }) {
        let name = rest[..<separator].suffix(32).lowercased().trimmingBlanks
        result += rest[...separator]
        rest = rest[rest.index(after: separator)...]
        guard credentialWords.contains(where: { name.hasSuffix($0) || name.hasSuffix($0 + "\"") }) else { continue }
        let blanks = rest.prefix { $0 == " " }
        result += blanks
        rest = rest[blanks.endIndex...]
        if let quote = rest.first, quote == "\"" || quote == "'" {
            result += "\(quote)***"
            rest = rest.dropFirst()
            rest = rest[(rest.firstIndex(of: quote) ?? rest.endIndex)...]
            continue
        }
        // An Authorization header's value is a scheme and the credential.
        for scheme in ["basic ", "bearer "] where rest.prefix(8).lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        let value = rest.prefix { !$0.isWhitespace && $0 != "\"" && $0 != "'" && $0 != "&" && $0 != "," }
        guard !value.isEmpty else { continue }
        result += "***"
        rest = rest[value.endIndex...]
    }
    return result + rest
}

/// What follows `Bearer` or `Basic` becomes `***`, unless it is a word of a sentence.
private func redactedSchemes(_ text: String) -> String {
    let schemes = ["bearer", "basic"]
    let lower = text.lowercased()
    guard schemes.contains(where: { lower.contains($0 + " ") }) else { return text }
    var isAfterScheme = false
    return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
        let end = word.suffix(7).lowercased()
        defer {
            isAfterScheme = schemes.contains { end.hasSuffix($0) && end.dropLast($0.count).last?.isLetter != true }
        }
        let value = word.prefix { !$0.isWhitespace && !"\"',;".contains($0) }
        guard isAfterScheme, value.utf8.count >= 8,
            value.dropFirst().contains(where: { $0.isNumber || $0.isUppercase })
        else { return String(word) }
        return "***" + word[value.endIndex...]
    }.joined(separator: " ")
}

extension String {
    /// Without the blanks at its end.
    fileprivate var trimmingBlanks: Substring {
        self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)]
    }
}
