// SPDX-License-Identifier: Apache-2.0

/// A pattern of `inputs`.
///
/// `*` and `?` do not match `/`, `**` as a whole component matches any number of folders, and `[a-z]`, `[!a-z]` one
/// character. A leading dot is a character like any other.
struct InputPattern {
    private enum Component {
        case anyFolders
        case name([Token])
    }

    private enum Token {
        case character(Unicode.Scalar)
        case any
        case anyRun
        case oneOf([ClosedRange<UInt32>], isNegated: Bool)
    }

    private let components: [Component]
    /// Whether the pattern holds no wildcard, and so names one file.
    let isLiteral: Bool

    /// How many bytes a pattern can have.
    private static let lengthLimit = 1_024

    /// Reads a pattern; nil where it is absolute, climbs, is empty, too long, or has an unclosed bracket.
    init?(_ text: String) {
        guard text.utf8.count <= Self.lengthLimit else { return nil }
        guard !text.hasPrefix("/"), !text.hasSuffix("/"), !text.holdsControlCharacter else { return nil }
        var components: [Component] = []
        var isLiteral = true
        for part in text.split(separator: "/") where part != "." {
            guard part != "..", part.lowercased() != ".git" else { return nil }
            if part == "**" {
                isLiteral = false
                if case .anyFolders = components.last { continue }
                components.append(.anyFolders)
                continue
            }
            guard let tokens = Self.tokens(part) else { return nil }
            for token in tokens {
                if case .character = token { continue }
                isLiteral = false
            }
            components.append(.name(tokens))
        }
        guard !components.isEmpty else { return nil }
        // `a/**` means the files below a, not a itself.
        if case .anyFolders = components.last { components.append(.name([.anyRun])) }
        self.components = components
        self.isLiteral = isLiteral
    }

    /// Whether a path, given by its components, fits.
    ///
    /// - Parameter steps: What is left of the work that may be done; once it is below zero nothing fits any more.
    func matches(_ path: [String], steps: inout Int) -> Bool {
        // For each component of the pattern, whether the path so far fits up to it: no backtracking, so no blow-up.
        var states = [Bool](repeating: false, count: components.count + 1)
        states[0] = true
        skipFolders(&states)
        for name in path {
            steps -= components.count + 1
            guard steps >= 0, states.contains(true) else { return false }
            let scalars = Array(name.unicodeScalars)
            var next = [Bool](repeating: false, count: components.count + 1)
            for (index, component) in components.enumerated() where states[index] {
                switch component {
                case .anyFolders: next[index] = true
                case .name(let tokens): if Self.matches(tokens, scalars, &steps) { next[index + 1] = true }
                }
            }
            skipFolders(&next)
            states = next
        }
        return states[components.count]
    }

    private func skipFolders(_ states: inout [Bool]) {
        for (index, component) in components.enumerated() where states[index] {
            if case .anyFolders = component { states[index + 1] = true }
        }
    }

    private static func tokens(_ part: Substring) -> [Token]? {
        var result: [Token] = []
        let scalars = Array(part.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case "*":
                if case .anyRun = result.last { continue }
                result.append(.anyRun)
            case "?": result.append(.any)
            case "[":
                let isNegated = index < scalars.count && (scalars[index] == "!" || scalars[index] == "^")
                if isNegated { index += 1 }
                var ranges: [ClosedRange<UInt32>] = []
                let first = index
                while index < scalars.count, scalars[index] != "]" || index == first {
                    let low = scalars[index].value
                    if index + 2 < scalars.count, scalars[index + 1] == "-", scalars[index + 2] != "]" {
                        let high = scalars[index + 2].value
                        guard low <= high else { return nil }
                        ranges.append(low...high)
                        index += 3
                    } else {
                        ranges.append(low...low)
                        index += 1
                    }
                }
                guard index < scalars.count else { return nil }
                index += 1
                result.append(.oneOf(ranges, isNegated: isNegated))
            default: result.append(.character(scalar))
            }
        }
        return result
    }

    /// Goes back to the last `*` alone where a part does not fit: what an earlier one takes, a later one can take as well.
    private static func matches(_ tokens: [Token], _ name: [Unicode.Scalar], _ steps: inout Int) -> Bool {
        var (token, position) = (0, 0)
        var lastRun: (token: Int, position: Int)?
        while position < name.count {
            steps -= 1
            guard steps >= 0 else { return false }
            if token < tokens.count {
                if case .anyRun = tokens[token] {
                    token += 1
                    lastRun = (token, position)
                    continue
                }
                if fits(tokens[token], name[position]) {
                    token += 1
                    position += 1
                    continue
                }
            }
            guard let run = lastRun else { return false }
            lastRun = (run.token, run.position + 1)
            (token, position) = (run.token, run.position + 1)
        }
        return tokens[token...].allSatisfy { if case .anyRun = $0 { true } else { false } }
    }

    private static func fits(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
        switch token {
        case .any: true
        case .anyRun: false
        case .character(let wanted): wanted == scalar
        case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar.value) } != isNegated
        }
    }
}
