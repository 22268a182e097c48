// SPDX-License-Identifier: Apache-2.0

/// One dependency of a conda environment in normal form.
///
/// The grammar is that of `conda.models.match_spec`: `[channel[/subdir]::]name[ version[ build]][[key=value, ...]]`, where
/// `name=1.26` is a prefix, `name==1.26`, `name 1.26` and `name=1.26=build` are exact.
struct MatchSpec {
    /// A text that is no match spec.
    struct Failure: Error {
        var message: String
        var hint: String?
    }

    /// The normal form: `channel::name version build[key='value']`.
    let text: String
    /// Brackets without `key=value`, such as pip's extras, which conda passes over.
    let extras: String?

    private static let bracketKeys: Set<String> = [
        "build", "build_number", "channel", "features", "fn", "license", "license_family", "md5", "name", "namespace",
        "sha256", "subdir", "track_features", "url", "version",
    ]

    /// Reads a match spec.
    init(_ given: String) throws(Failure) {
        guard given.utf8.count <= 4_096 else { throw Failure(message: "expected at most 4096 bytes") }
        // conda drops a comment inside of the text, where people leave selectors: "numpy # [win]".
        var rest = given.prefix { $0 != "#" }.trimmed
        guard !rest.isEmpty else { throw Failure(message: "expected a package") }
        guard !rest.holdsControlCharacter else { throw Failure(message: "a control character") }
        if let scheme = UrlCheck.scheme(of: rest), ["http", "https"].contains(scheme), rest.contains("://"),
            !rest.contains("::")
        {
            guard rest.hasSuffix(".conda") || rest.contains(".tar.bz2"), !rest.contains(" ") else {
                throw Failure(message: "the URL is not that of a conda package (.conda or .tar.bz2)")
            }
            text = rest
            extras = nil
            return
        }
        extras = Self.takeExtras(&rest)
        var fields = try Self.takeBrackets(&rest)
        var channel = fields.removeValue(forKey: "channel")
        if let separator = rest.range(of: "::", backwards: true) {
            channel = rest[..<separator.lowerBound].trimmed
            rest = rest[separator.upperBound...].trimmed
        }
        // Without a channel it stays in the brackets, where it keeps packages of other folders out.
        if let known = channel, let subdir = fields.removeValue(forKey: "subdir") { channel = known + "/" + subdir }
        let nameEnd = rest.firstIndex { " =<>!~\t".contains($0) } ?? rest.endIndex
        let name = try Self.name(String(rest[..<nameEnd]))
        var (version, build) = try Self.versionAndBuild(rest[nameEnd...].trimmed)
        if let given = fields.removeValue(forKey: "version") { version = try Self.version(given) }
        if let given = fields.removeValue(forKey: "build") { build = given }
        if build == "*" { build = nil }
        // Of a dash or an operator conda takes all that stands before it for the version.
        if let build, build.isEmpty || build.contains(where: { " \t,|<>=~[]/:-".contains($0) }) {
            throw Failure(message: "\(quoted(build)) is not a build string")
        }
        var result = (channel.map { $0 + "::" } ?? "") + name
        if version != "*" || build != nil { result += " " + version }
        if let build { result += " " + build }
        if !fields.isEmpty {
            result +=
                "[" + fields.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }.joined(separator: ",") + "]"
        }
        text = result
    }

    private static func name(_ text: String) throws(Failure) -> String {
        let lowered = text.lowercased()
        guard let first = lowered.utf8.first, isAlphanumeric(first) || first == 0x5F,
            lowered.utf8.allSatisfy({ isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E })
        else {
            throw Failure(
                message: text.isEmpty
                    ? "expected the name of a package" : "\(quoted(text)) is not the name of a package")
        }
        return lowered
    }

    /// Splits what follows the name as conda does: the build begins at the first blank or `=` that is not part of an
    /// operator and after which no operator follows.
    private static func versionAndBuild(_ text: String) throws(Failure) -> (version: String, build: String?) {
        guard !text.isEmpty else { return ("*", nil) }
        // Blanks after an operator are part of nothing.
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x20 || byte == 0x09, let last = bytes.last, "=!|,<>~ ".utf8.contains(last) { continue }
            bytes.append(byte == 0x09 ? 0x20 : byte)
        }
        var split: Int?
        for index in bytes.indices.dropFirst() where bytes[index] == 0x20 || bytes[index] == 0x3D {
            if "=!|,<>~".utf8.contains(bytes[index - 1]) { continue }
            let after = bytes[(index + 1)...]
            if after.isEmpty || after.contains(where: { "-=,|<>~".utf8.contains($0) }) { continue }
            split = index
            break
        }
        guard let split else {
            let compact = text.filter { $0 != " " && $0 != "\t" }
            return (try version(compact), nil)
        }
        var versionText = String(decoding: bytes[..<split], as: UTF8.self).filter { $0 != " " && $0 != "\t" }
        let build = String(decoding: bytes[(split + 1)...], as: UTF8.self).trimmed
        // With a build, conda takes a single `=` as exact.
        if versionText.hasPrefix("="), !versionText.dropFirst().contains(where: { "=,|".contains($0) }) {
            versionText.removeFirst()
        }
        return (try version(versionText), build)
    }

    private static func version(_ text: String) throws(Failure) -> String {
        do {
            return try CondaVersionSpec.normalised(text)
        } catch {
            throw Failure(message: error.message, hint: error.hint)
        }
    }

    /// Cuts out brackets that hold names alone, as pip's extras do.
    private static func takeExtras(_ text: inout String) -> String? {
        guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else { return nil }
        let words = text[text.index(after: open)..<close].split { $0 == "," || $0 == " " }
        let areNames = words.allSatisfy { word in
            word.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
        }
        guard !words.isEmpty, areNames, open > text.startIndex else { return nil }
        let brackets = String(text[open...close])
        text = (String(text[..<open]) + text[text.index(after: close)...]).trimmed
        return brackets
    }

    /// Cuts `[key=value, ...]` off the end of a spec.
    private static func takeBrackets(_ text: inout String) throws(Failure) -> [String: String] {
        guard let open = text.firstIndex(of: "[") else { return [:] }
        guard text.hasSuffix("]") else { throw Failure(message: "expected ']' at the end") }
        let inner = text[text.index(after: open)...].dropLast()
        var cursor = ByteCursor(inner)
        var result: [String: String] = [:]
        while true {
            cursor.skipBlanks()
            if cursor.isAtEnd { break }
            let key = cursor.taking { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2D } ?? ""
            guard cursor.take("=") else {
                throw Failure(
                    message: "expected key=value in brackets, found \(quoted(inner))")
            }
            guard bracketKeys.contains(key) else {
                throw Failure(
                    message: "unknown key \(quoted(key)) in brackets",
                    hint: suggestion(for: key, among: bracketKeys.sorted()))
            }
            var value: String?
            if let quote = cursor.peek, quote == 0x22 || quote == 0x27 {
                cursor.advance()
                value = cursor.taking { $0 != quote }
                guard cursor.peek == quote else { throw Failure(message: "a quote is not closed") }
                cursor.advance()
            } else {
                value = cursor.taking { $0 != 0x2C && $0 != 0x20 && $0 != 0x27 && $0 != 0x22 }
            }
            guard let value, !value.contains("'") else { throw Failure(message: "the key '\(key)' has no value") }
            result[key] = value.trimmed
            cursor.skipBlanks()
            _ = cursor.take(",")
        }
        text = text[..<open].trimmed
        return result
    }
}

extension String {
    /// The last place where a text stands.
    fileprivate func range(of text: String, backwards: Bool) -> Range<String.Index>? { ranges(of: text).last }
}
