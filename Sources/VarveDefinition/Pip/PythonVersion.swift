// SPDX-License-Identifier: Apache-2.0

/// A version of PEP 440, with the normal form that `packaging` gives it.
struct PythonVersion {
    private var epoch = "0"
    private var release: [String] = []
    private var pre = ""
    private var post = ""
    private var dev = ""
    private var local = ""

    /// Reads a version in any spelling that PEP 440 allows; nil where it is none.
    init?(_ text: some StringProtocol) {
        var cursor = ByteCursor(text.lowercased())
        if cursor.peek == 0x76 { cursor.advance() }  // v1.0
        guard var number = cursor.digits() else { return nil }
        if cursor.take("!") {
            epoch = number
            guard let first = cursor.digits() else { return nil }
            number = first
        }
        release = [number]
        while cursor.peek == 0x2E, let next = cursor.peek(1), isDigit(next) {
            cursor.advance()
            release.append(cursor.digits() ?? "0")
        }
        if let (word, digits) = cursor.segment(["alpha", "beta", "preview", "pre", "a", "b", "c", "rc"]) {
            pre =
                ["alpha": "a", "beta": "b", "preview": "rc", "pre": "rc", "c": "rc"][word, default: word]
                + (digits ?? "0")
        }
        if cursor.peek == 0x2D, let next = cursor.peek(1), isDigit(next) {
            cursor.advance()
            post = ".post" + (cursor.digits() ?? "0")
        } else if let (_, digits) = cursor.segment(["post", "rev", "r"]) {
            post = ".post" + (digits ?? "0")
        }
        if let (_, digits) = cursor.segment(["dev"]) { dev = ".dev" + (digits ?? "0") }
        if cursor.take("+") {
            var parts: [String] = []
            repeat {
                guard let part = cursor.alphanumerics() else { return nil }
                parts.append(part.utf8.allSatisfy(isDigit) ? withoutLeadingZeros(part) : part)
            } while cursor.take("-") || cursor.take("_") || cursor.take(".")
            local = "+" + parts.joined(separator: ".")
        }
        guard cursor.isAtEnd else { return nil }
    }

    /// Whether the version has a local part (`+cu118`).
    var hasLocal: Bool { !local.isEmpty }

    /// How many numbers the release has.
    var releaseCount: Int { release.count }

    /// The normal form; without trailing zeros `1.26.0` and `1.26` are one, as PEP 440 has them equal.
    func canonical(strippingZeros: Bool) -> String {
        var numbers = release
        if strippingZeros { while numbers.count > 1, numbers.last == "0" { numbers.removeLast() } }
        return (epoch == "0" ? "" : epoch + "!") + numbers.joined(separator: ".") + pre + post + dev + local
    }
}

/// A number without leading zeros.
func withoutLeadingZeros(_ digits: some StringProtocol) -> String {
    let rest = digits.drop { $0 == "0" }
    return rest.isEmpty ? "0" : String(rest)
}

extension ByteCursor {
    /// Takes digits, without leading zeros.
    fileprivate mutating func digits() -> String? { taking(while: isDigit).map { withoutLeadingZeros($0) } }

    fileprivate mutating func alphanumerics() -> String? { taking(while: isAlphanumeric) }

    /// Takes `[._-]?WORD[._-]?[0-9]*`, or nothing.
    fileprivate mutating func segment(_ words: [String]) -> (word: String, digits: String?)? {
        let start = self
        if let byte = peek, byte == 0x2E || byte == 0x5F || byte == 0x2D { advance() }
        for word in words where take(word) {
            let afterWord = self
            if let byte = peek, byte == 0x2E || byte == 0x5F || byte == 0x2D { advance() }
            if let digits = digits() { return (word, digits) }
            // `[._-]?` and `[0-9]*` are both optional, so `1.0a.` takes the separator too; the version then fails at its end.
            self = afterWord
            if let byte = peek, byte == 0x2E || byte == 0x5F || byte == 0x2D, !followedBySegment { advance() }
            return (word, nil)
        }
        self = start
        return nil
    }

    /// Whether a separator here begins the next segment (`1.0a.dev1`) and does not end this one.
    private var followedBySegment: Bool {
        guard let next = peek(1) else { return false }
        return isLetter(next) || isDigit(next)
    }
}
