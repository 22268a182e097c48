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

    /// Reads a pattern; nil where it is absolute, climbs, is empty, or has an unclosed bracket.
    init?(_ text: String) {
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
    func matches(_ path: [String]) -> Bool {
        // For each component of the pattern, whether the path so far fits up to it: no backtracking, so no blow-up.
        var states = [Bool](repeating: false, count: components.count + 1)
        states[0] = true
        skipFolders(&states)
        for name in path {
            let scalars = Array(name.unicodeScalars)
            var next = [Bool](repeating: false, count: components.count + 1)
            for (index, component) in components.enumerated() where states[index] {
                switch component {
                case .anyFolders: next[index] = true
                case .name(let tokens): if Self.matches(tokens, scalars) { next[index + 1] = true }
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

    private static func matches(_ tokens: [Token], _ name: [Unicode.Scalar]) -> Bool {
        var states = [Bool](repeating: false, count: tokens.count + 1)
        states[0] = true
        func skipRuns(_ states: inout [Bool]) {
            for (index, token) in tokens.enumerated() where states[index] {
                if case .anyRun = token { states[index + 1] = true }
            }
        }
        skipRuns(&states)
        for scalar in name {
            var next = [Bool](repeating: false, count: tokens.count + 1)
            for (index, token) in tokens.enumerated() where states[index] {
                switch token {
                case .anyRun: next[index] = true
                case .any: next[index + 1] = true
                case .character(let wanted): if wanted == scalar { next[index + 1] = true }
                case .oneOf(let ranges, let isNegated):
                    if ranges.contains(where: { $0.contains(scalar.value) }) != isNegated { next[index + 1] = true }
                }
            }
            skipRuns(&next)
            states = next
        }
        return states[tokens.count]
    }
}
