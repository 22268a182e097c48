// SPDX-License-Identifier: Apache-2.0

/// A challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1): how a server wants to be asked.
struct AuthenticationChallenge: Hashable, Sendable {
    /// The scheme, in lower case: `bearer`, `basic`.
    var scheme: String
    /// The parameters, their names in lower case.
    var parameters: [String: String] = [:]

    /// The challenges of a header, in order; what is not well formed ends the reading.
    static func challenges(in header: String) -> [AuthenticationChallenge] {
        var rest = Substring(header)
        var result: [AuthenticationChallenge] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let word = rest.prefix(while: isTokenCharacter)
            guard !word.isEmpty else { return result }
            rest = rest[word.endIndex...].drop { $0 == " " || $0 == "\t" }
            guard rest.first == "=" else {
                result.append(AuthenticationChallenge(scheme: word.lowercased()))
                continue
            }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            guard let value = takeValue(&rest), !result.isEmpty else { return result }
            result[result.count - 1].parameters[word.lowercased()] = value
        }
    }

    /// A token, or a quoted string without its quotes; nil where there is neither.
    private static func takeValue(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let word = rest.prefix(while: isTokenCharacter)
            rest = rest[word.endIndex...]
            return word.isEmpty ? nil : String(word)
        }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return value
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            default: value.append(character)
            }
        }
        return nil
    }

    private static func isTokenCharacter(_ character: Character) -> Bool {
        guard let byte = character.asciiValue else { return false }
        return byte > 0x20 && byte < 0x7f && !"\"(),/:;<=>?@[\\]{}".contains(character)
    }
}
