// SPDX-License-Identifier: Apache-2.0

/// One requirement of PEP 508 in the normal form that two equal requirements share.
///
/// The grammar is that of `packaging`, which is the oracle in the tests: names and extras by PEP 503 and 685, specifiers as
/// `SpecifierSet` compares them (PEP 440, trailing zeros dropped except after `~=` and before `.*`), markers as `str(Marker)`.
struct PythonRequirement {
    /// A requirement that does not fit the grammar.
    struct Failure: Error {
        /// The byte where it stops to fit.
        var offset: Int
        var message: String
        var hint: String?
    }

    /// The normalised name.
    private(set) var name = ""
    /// The normalised extras, sorted.
    private(set) var extras: [String] = []
    /// The normalised specifiers, sorted.
    private(set) var specifiers: [String] = []
    /// The URL of `name @ url`.
    private(set) var url: String?
    /// The normalised marker.
    private(set) var marker: String?

    /// Reads a requirement.
    init(_ text: String) throws(Failure) {
        var cursor = ByteCursor(text)
        cursor.skipBlanks()
        guard let name = cursor.identifier() else {
            throw Failure(offset: cursor.position, message: "expected the name of a package", hint: nil)
        }
        self.name = canonicalName(name)
        cursor.skipBlanks()
        extras = try Self.extras(&cursor)
        cursor.skipBlanks()
        if cursor.take("@") {
            cursor.skipBlanks()
            guard let url = cursor.taking(while: { $0 != 0x20 && $0 != 0x09 }) else {
                throw Failure(offset: cursor.position, message: "expected a URL after '@'", hint: nil)
            }
            self.url = url
            let blanks = cursor.skipBlanks()
            if cursor.isAtEnd { return }
            guard blanks else { throw Self.unexpected(cursor) }
        } else {
            specifiers = try Self.specifiers(&cursor)
            cursor.skipBlanks()
            if cursor.isAtEnd { return }
        }
        guard cursor.take(";") else { throw Self.unexpected(cursor) }
        marker = try PythonMarker.read(&cursor)
        guard cursor.isAtEnd else { throw Self.unexpected(cursor) }
    }

    /// The normal form.
    var text: String {
        name + (extras.isEmpty ? "" : "[" + extras.joined(separator: ",") + "]") + specifiers.joined(separator: ",")
            + (url.map { " @ " + $0 + (marker == nil ? "" : " ") } ?? "") + (marker.map { "; " + $0 } ?? "")
    }

    private static func unexpected(_ cursor: ByteCursor) -> Failure {
        let rest = cursor.rest
        var hint: String?
        if rest.hasPrefix("=") { hint = "pip writes name==1.0" }
        if rest.hasPrefix("#") { hint = "a comment needs a blank before '#'" }
        return Failure(
            offset: cursor.position,
            message: "expected a version specifier, ';' and a marker, or the end of the line, found \(quoted(rest))",
            hint: hint
        )
    }

    /// Reads `[a, b]`; nothing where there is no bracket.
    static func extras(_ cursor: inout ByteCursor) throws(Failure) -> [String] {
        guard cursor.take("[") else { return [] }
        var result: Set<String> = []
        cursor.skipBlanks()
        if cursor.take("]") { return [] }
        while true {
            cursor.skipBlanks()
            guard let extra = cursor.identifier() else {
                throw Failure(offset: cursor.position, message: "expected the name of an extra", hint: nil)
            }
            result.insert(canonicalName(extra))
            cursor.skipBlanks()
            if cursor.take("]") { return result.sorted() }
            guard cursor.take(",") else {
                throw Failure(offset: cursor.position, message: "expected ',' or ']' after an extra", hint: nil)
            }
        }
    }

    private static func specifiers(_ cursor: inout ByteCursor) throws(Failure) -> [String] {
        let isEnclosed = cursor.take("(")
        var result: Set<String> = []
        cursor.skipBlanks()
        while let specifier = try specifier(&cursor) {
            result.insert(specifier)
            cursor.skipBlanks()
            guard cursor.take(",") else { break }
            cursor.skipBlanks()
        }
        cursor.skipBlanks()
        if isEnclosed, !cursor.take(")") {
            throw Failure(offset: cursor.position, message: "expected ')' after the version specifiers", hint: nil)
        }
        return result.sorted()
    }

    private static let operators = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"]

    private static func specifier(_ cursor: inout ByteCursor) throws(Failure) -> String? {
        guard let operation = operators.first(where: { cursor.starts(with: $0) }) else { return nil }
        cursor.advance(by: operation.utf8.count)
        cursor.skipBlanks()
        let start = cursor.position
        if operation == "===" {
            let text = cursor.taking { $0 != 0x20 && $0 != 0x09 && $0 != 0x3B && $0 != 0x29 } ?? ""
            return operation + text
        }
        let text = cursor.taking { $0 != 0x20 && $0 != 0x09 && $0 != 0x3B && $0 != 0x29 && $0 != 0x2C } ?? ""
        func failure(_ message: String, hint: String? = nil) -> Failure {
            Failure(offset: start, message: message, hint: hint)
        }
        if text.hasSuffix(".*") {
            guard operation == "==" || operation == "!=" else {
                throw failure("'.*' can only stand after '==' or '!='", hint: "\(operation)\(text.dropLast(2))")
            }
            // A prefix is compared number by number, so its zeros count.
            guard let version = PythonVersion(text.dropLast(2)), isRelease(text.dropLast(2)) else {
                throw failure("\(quoted(text)) is not a version of PEP 440 that '.*' can follow")
            }
            return operation + version.canonical(strippingZeros: false) + ".*"
        }
        guard let version = PythonVersion(text) else {
            throw failure(
                text.isEmpty ? "expected a version after '\(operation)'" : "\(quoted(text)) is not a version of PEP 440"
            )
        }
        if version.hasLocal, operation != "==", operation != "!=" {
            throw failure("a local version (\(quoted(text))) can only stand after '==' or '!='")
        }
        if operation == "~=", version.releaseCount < 2 {
            throw failure("'~=' needs at least two numbers, found \(quoted(text))", hint: "~=\(text).0")
        }
        return operation + version.canonical(strippingZeros: operation != "~=")
    }

    private static func isRelease(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { isDigit($0) || $0 == 0x2E || $0 == 0x21 || $0 == 0x76 || $0 == 0x56 }
    }
}

/// A name of a distribution or an extra as PEP 503 normalises it: lower case, with one `-` for a run of `-`, `_` and `.`.
func canonicalName(_ name: some StringProtocol) -> String {
    var result: [UInt8] = []
    for byte in name.lowercased().utf8 {
        let isSeparator = byte == 0x2D || byte == 0x5F || byte == 0x2E
        if isSeparator {
            if result.last != 0x2D { result.append(0x2D) }
        } else {
            result.append(byte)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

extension ByteCursor {
    /// Takes a name of PEP 508: letters, digits, `.`, `_` and `-`, not ending in `.`, `_` or `-`.
    ///
    /// `packaging` lets a `_` stand at the end, and then refuses the name that it normalises this to.
    mutating func identifier() -> String? {
        let start = position
        guard let first = peek, isAlphanumeric(first) else { return nil }
        _ = taking { isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
        while position > start, !isAlphanumeric(bytes[position - 1]) { reset(to: position - 1) }
        return text(from: start)
    }
}
