// SPDX-License-Identifier: Apache-2.0

/// Normalises the version part of a match spec by conda's grammar (`conda.models.version.VersionSpec`).
///
/// `,` binds tighter than `|`; both are sets, so their order and duplicates do not count. Versions compare as conda's
/// `VersionOrder`: without case, without leading zeros, and trailing `.0` is nothing to the comparing operators.
enum CondaVersionSpec {
    /// A text that is no version spec.
    struct Failure: Error {
        var message: String
        var hint: String?
    }

    private static let depthLimit = 16

    /// The normal form; `*` where every version fits.
    static func normalised(_ text: String) throws(Failure) -> String {
        var cursor = ByteCursor(text.lowercased().filter { $0 != " " && $0 != "\t" })
        let result = try alternatives(&cursor, depth: 0)
        guard cursor.isAtEnd else { throw Failure(message: "unexpected \(quoted(cursor.rest)) in the version") }
        return result.count == 1 ? result[0] : result.joined(separator: "|")
    }

    private static func alternatives(_ cursor: inout ByteCursor, depth: Int) throws(Failure) -> [String] {
        var result: Set<String> = []
        repeat { result.insert(try conjunction(&cursor, depth: depth)) } while cursor.take("|")
        return result.contains("*") ? ["*"] : result.sorted()
    }

    private static func conjunction(_ cursor: inout ByteCursor, depth: Int) throws(Failure) -> String {
        var result: Set<String> = []
        repeat { result.insert(try atom(&cursor, depth: depth)) } while cursor.take(",")
        if result.count > 1 { result.remove("*") }
        return result.sorted().joined(separator: ",")
    }

    private static func atom(_ cursor: inout ByteCursor, depth: Int) throws(Failure) -> String {
        if cursor.take("(") {
            guard depth < depthLimit else { throw Failure(message: "the version is nested too deep") }
            let inner = try alternatives(&cursor, depth: depth + 1)
            guard cursor.take(")") else { throw Failure(message: "expected ')' in the version") }
            return inner.count == 1 ? inner[0] : "(" + inner.joined(separator: "|") + ")"
        }
        let operation = ["==", "!=", "<=", ">=", "~=", "<", ">", "="].first { cursor.starts(with: $0) } ?? ""
        cursor.advance(by: operation.utf8.count)
        let version = cursor.taking { isAlphanumeric($0) || ".+-_!*^$".utf8.contains($0) } ?? ""
        if version.isEmpty {
            let rest = cursor.rest
            throw Failure(message: rest.isEmpty ? "expected a version" : "expected a version, found \(quoted(rest))")
        }
        return try constraint(operation, version)
    }

    private static func constraint(_ operation: String, _ text: String) throws(Failure) -> String {
        if text.contains("^") || text.contains("$") {
            let isVariable = text.contains("$")
            throw Failure(
                message: isVariable
                    ? "variables are not replaced in a version" : "regular expressions are not supported in a version"
            )
        }
        if text.utf8.allSatisfy({ $0 == 0x2A || $0 == 0x2E }) {
            if operation.isEmpty || operation == "=" || operation == "==" || operation == ">=" { return "*" }
            throw Failure(message: "'*' cannot follow '\(operation)'")
        }
        var version = text
        var isPrefix = false
        if version.hasSuffix("*") {
            version.removeLast()
            if version.hasSuffix(".") { version.removeLast() }
            isPrefix = true
        }
        if version.contains("*") {
            // conda compares `1.*.3` as a text pattern.
            guard operation.isEmpty || operation == "=" || operation == "==" else {
                throw Failure(message: "'*' inside a version cannot follow '\(operation)'")
            }
            return version + (isPrefix ? ".*" : "")
        }
        guard isVersion(version) else { throw Failure(message: "\(quoted(text)) is not a version") }
        switch (operation, isPrefix) {
        case ("", false), ("==", false): return "==" + canonical(version, strippingZeros: true)
        case ("", true), ("=", _), ("==", true): return canonical(version, strippingZeros: false) + ".*"
        case ("!=", true): return "!=" + canonical(version, strippingZeros: false) + ".*"
        case ("~=", true):
            throw Failure(message: "'*' cannot follow '~='", hint: "~=\(version)")
        case ("~=", false): return "~=" + canonical(version, strippingZeros: false)
        default: return operation + canonical(version, strippingZeros: true)
        }
    }

    /// Whether a text is a version to conda's `VersionOrder`: `[EPOCH!]VERSION[+LOCAL]`.
    static func isVersion(_ text: String) -> Bool {
        // A dash stands for an underscore, where no underscore stands beside it.
        guard !text.contains("-") || !text.contains("_") else { return false }
        let epoch = text.split(separator: "!", omittingEmptySubsequences: false)
        guard let rest = epoch.last, epoch.count <= 2,
            epoch.dropLast().allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) })
        else { return false }
        let parts = rest.split(separator: "+", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy(hasComponents)
    }

    /// Whether no component between separators is empty; `_` at the end is part of the last one, as openssl writes it.
    private static func hasComponents(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) }) else { return false }
        var components = text.split(omittingEmptySubsequences: false) { "._-".contains($0) }
        if components.count > 1, text.hasSuffix("_") || text.hasSuffix("-") {
            components.removeLast()
            if components.count > 1, components.last?.isEmpty == true { components.removeLast() }
        }
        return components.allSatisfy { !$0.isEmpty }
    }

    /// A version in the spelling that equal versions share.
    static func canonical(_ text: String, strippingZeros: Bool) -> String {
        var parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
            !part.isEmpty && part.utf8.allSatisfy(isDigit) ? withoutLeadingZeros(part) : String(part)
        }
        // With an epoch or a local part the zeros at the end are not the version's own.
        if strippingZeros, !text.contains("+"), !text.contains("-"), !text.contains("_") {
            while parts.count > 1, parts.last == "0" { parts.removeLast() }
        }
        return parts.joined(separator: ".")
    }
}
