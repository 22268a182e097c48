// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// The line that a diagnostic is about, with a caret under its column, both fit for a terminal.
public struct SourceExcerpt: Sendable {
    /// The line, or the part of it around the column; tabs are one blank, what a terminal would obey is a `·`.
    public let line: String
    /// Blanks and a `^`.
    public let caret: String

    /// How many columns of a terminal a line takes at most.
    private static let width = 100
    /// How many columns are shown before the caret where the line is longer.
    private static let before = 60

    /// How large a file, and how long a line can be: each diagnostic reads it anew, and there can be many.
    private static let (fileLimit, lineLimit) = (1 << 20, 1 << 14)

    /// Nil where the diagnostic has no place, the file or the line is too long, or the file cannot be read as text.
    public init?(_ diagnostic: Diagnostic, in tree: any SourceTree) {
        guard diagnostic.line > 0, let entry = try? tree.entry(at: diagnostic.file),
            entry.kind == .file || entry.kind == .executable,
            let bytes = try? tree.read(entry.id, limit: Self.fileLimit),
            let text = try? SourceText.decode(bytes)
        else { return nil }
        // libyaml ends lines at more characters than other readers do (YAML 1.1, section 4.2).
        let isYaml = diagnostic.file.name.hasSuffix(".yaml") || diagnostic.file.name.hasSuffix(".yml")
        guard let scalars = Self.line(diagnostic.line, of: text, isYaml: isYaml), scalars.count <= Self.lineLimit else {
            return nil
        }
        // A credential that somebody committed is not printed into the logs of whatever runs varve.
        let whole = String(String.UnicodeScalarView(scalars))
        guard diagnostic.code != DiagnosticCode.credentials.rawValue, redacted(whole) == whole, !whole.contains("/t/")
        else {
            return nil
        }
        self.init(scalars, column: diagnostic.column)
    }

    /// Column 0 stands for the whole line.
    init(_ scalars: [Unicode.Scalar], column: Int) {
        let target = min(max(column, 1) - 1, scalars.count)
        let widths = scalars.map(Self.columns)
        var start = 0
        if widths.reduce(0, +) > Self.width {
            var used = 0
            start = target
            while start > 0, used + widths[start - 1] <= Self.before {
                start -= 1
                used += widths[start]
            }
        }
        var end = start
        var used = 0
        while end < scalars.count, used + widths[end] <= Self.width {
            used += widths[end]
            end += 1
        }
        let lead = start > 0 ? "…" : ""
        line =
            lead + String(String.UnicodeScalarView(scalars[start..<end].map(Self.shown)))
            + (end < scalars.count ? "…" : "")
        let blanks = widths[start..<max(start, min(target, end))].reduce(lead.isEmpty ? 0 : 1, +)
        caret = String(repeating: " ", count: blanks) + "^"
    }

    private static func line(_ number: Int, of text: String, isYaml: Bool) -> [Unicode.Scalar]? {
        var current = 1
        var result: [Unicode.Scalar] = []
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            let isBreak: Bool =
                switch scalar {
                case "\n": previous != "\r"
                case "\r": true
                case "\u{85}", "\u{2028}", "\u{2029}": isYaml
                default: false
                }
            if isBreak {
                if current == number { return result }
                current += 1
            } else if current == number, scalar != "\n" {
                result.append(scalar)
            }
        }
        return current == number ? result : nil
    }

    private static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar == "\t" { return " " }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return "·"
        default: return scalar
        }
    }

    /// How many columns a terminal gives a character.
    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        // The wide ranges of Unicode's EastAsianWidth.txt, without the single characters.
        let wide: [ClosedRange<UInt32>] = [
            0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
        ]
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }
}
