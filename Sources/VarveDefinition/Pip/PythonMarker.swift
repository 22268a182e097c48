// SPDX-License-Identifier: Apache-2.0

/// Reads the marker of a requirement (PEP 508) into the text that `packaging` prints for it.
enum PythonMarker {
    typealias Failure = PythonRequirement.Failure

    /// How deep parentheses may be nested.
    private static let depthLimit = 64

    private indirect enum Node {
        case comparison(left: Operand, operation: String, right: Operand)
        case word(String)
        case group([Node])
    }

    private struct Operand {
        var isVariable: Bool
        var value: String

        var text: String { isVariable ? value : "\"" + value + "\"" }
    }

    private static let variables: Set<String> = [
        "python_version", "python_full_version", "os_name", "sys_platform", "platform_release", "platform_system",
        "platform_version", "platform_machine", "platform_python_implementation", "python_implementation",
        "implementation_name", "implementation_version", "extra", "extras", "dependency_groups",
    ]

    /// The normal form of a whole marker.
    static func normalised(_ text: String) throws(Failure) -> String {
        var cursor = ByteCursor(text)
        let marker = try read(&cursor)
        guard cursor.isAtEnd else {
            throw Failure(offset: cursor.position, message: "expected 'and', 'or' or the end of the marker", hint: nil)
        }
        return marker
    }

    /// Reads a marker from here.
    static func read(_ cursor: inout ByteCursor) throws(Failure) -> String {
        let nodes = try expression(&cursor, depth: 0)
        return format(.group(nodes), isFirst: true)
    }

    private static func expression(_ cursor: inout ByteCursor, depth: Int) throws(Failure) -> [Node] {
        var result = [try atom(&cursor, depth: depth)]
        while let word = cursor.keyword(["and", "or"]) {
            result.append(.word(word))
            result.append(try atom(&cursor, depth: depth))
        }
        return result
    }

    private static func atom(_ cursor: inout ByteCursor, depth: Int) throws(Failure) -> Node {
        cursor.skipBlanks()
        defer { cursor.skipBlanks() }
        if cursor.take("(") {
            guard depth < depthLimit else {
                throw Failure(offset: cursor.position, message: "the marker is nested too deep", hint: nil)
            }
            let inner = try expression(&cursor, depth: depth + 1)
            guard cursor.take(")") else {
                throw Failure(offset: cursor.position, message: "expected ')' in the marker", hint: nil)
            }
            return .group(inner)
        }
        var left = try operand(&cursor)
        cursor.skipBlanks()
        let operation = try comparison(&cursor)
        cursor.skipBlanks()
        var right = try operand(&cursor)
        // PEP 685. `packaging` does this only outside of parentheses.
        if left.isVariable, left.value == "extra" {
            right.value = canonicalName(right.value)
        } else if right.isVariable, right.value == "extra" {
            left.value = canonicalName(left.value)
        }
        return .comparison(left: left, operation: operation, right: right)
    }

    private static func operand(_ cursor: inout ByteCursor) throws(Failure) -> Operand {
        let start = cursor.position
        if let quote = cursor.peek, quote == 0x22 || quote == 0x27 {
            cursor.advance()
            let value = cursor.taking { $0 != quote } ?? ""
            guard cursor.peek == quote else {
                throw Failure(offset: start, message: "expected a closing quote in the marker", hint: nil)
            }
            cursor.advance()
            guard !value.contains("\\"), !value.contains("\"") else {
                throw Failure(
                    offset: start, message: "a marker's text holds no backslash and no double quote", hint: nil)
            }
            return Operand(isVariable: false, value: value)
        }
        let word = cursor.taking { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2E } ?? ""
        let variable =
            word == "python_implementation" ? "platform_python_implementation" : word.replacing(".", with: "_")
        guard variables.contains(variable) else {
            throw Failure(
                offset: start,
                message:
                    "expected a marker variable or a quoted text, found \(quoted(word.isEmpty ? cursor.rest : word))",
                hint: suggestion(for: word, among: variables.sorted())
            )
        }
        let isImplementation = variable == "platform_python_implementation"
        return Operand(isVariable: true, value: isImplementation ? "platform_python_implementation" : variable)
    }

    private static func comparison(_ cursor: inout ByteCursor) throws(Failure) -> String {
        for operation in ["===", "==", "~=", "!=", "<=", ">=", "<", ">"] where cursor.take(operation) {
            return operation
        }
        if cursor.keyword(["in"]) != nil { return "in" }
        if cursor.keyword(["not"]) != nil {
            guard cursor.skipBlanks(), cursor.keyword(["in"]) != nil else {
                throw Failure(offset: cursor.position, message: "expected 'in' after 'not'", hint: nil)
            }
            return "not in"
        }
        throw Failure(
            offset: cursor.position, message: "expected a comparison in the marker: <= < != == >= > ~= === in, not in",
            hint: cursor.peek == 0x3D ? "write ==" : nil
        )
    }

    private static func format(_ node: Node, isFirst: Bool) -> String {
        switch node {
        case .word(let word): return word
        case .comparison(let left, let operation, let right):
            return left.text + " " + operation + " " + right.text
        case .group(let nodes):
            // A group of one needs no parentheses of its own. (`packaging` also drops those inside `((a or b))`, which
            // changes the meaning of what follows; here they stay.)
            if nodes.count == 1, let only = nodes.first { return format(only, isFirst: isFirst) }
            let inner = nodes.map { format($0, isFirst: false) }.joined(separator: " ")
            return isFirst ? inner : "(" + inner + ")"
        }
    }
}

extension ByteCursor {
    /// Takes one of some words where it stands here as a whole word.
    fileprivate mutating func keyword(_ words: [String]) -> String? {
        for word in words where starts(with: word) {
            if let next = peek(word.utf8.count), isAlphanumeric(next) || next == 0x5F { continue }
            advance(by: word.utf8.count)
            return word
        }
        return nil
    }
}
