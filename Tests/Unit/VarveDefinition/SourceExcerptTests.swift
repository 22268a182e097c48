// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveDefinition

/// The caret stands under what is wrong, whatever stands before it.
@Suite("Excerpts")
struct SourceExcerptTests {
    private struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        var line = 2
        var column = 3
        var file = "i/apt.txt"
        let expected: [String]?
    }

    private static let cases = [
        Case(testDescription: "plain", bytes: Array("one\nabX\n".utf8), expected: ["abX", "  ^"]),
        Case(testDescription: "windows line ends", bytes: Array("one\r\nabX\r\n".utf8), expected: ["abX", "  ^"]),
        Case(testDescription: "old line ends", bytes: Array("one\rabX\r".utf8), expected: ["abX", "  ^"]),
        Case(testDescription: "no final line end", bytes: Array("one\nabX".utf8), expected: ["abX", "  ^"]),
        Case(testDescription: "tabs", bytes: Array("one\n\t\tX\n".utf8), expected: ["  X", "  ^"]),
        Case(testDescription: "wide", bytes: Array("one\n日本X\n".utf8), expected: ["日本X", "    ^"]),
        Case(testDescription: "combining", bytes: Array("one\ne\u{301}X\n".utf8), expected: ["e\u{301}X", " ^"]),
        Case(
            testDescription: "UTF-16", bytes: [0xFF, 0xFE] + Array("one\nabX\n".utf8).flatMap { [$0, 0] },
            expected: ["abX", "  ^"]),
        Case(
            testDescription: "mark", bytes: [0xEF, 0xBB, 0xBF] + Array("abX".utf8), line: 1, expected: ["abX", "  ^"]),
        Case(testDescription: "escape", bytes: Array("one\na\u{1B}X\n".utf8), expected: ["a·X", "  ^"]),
        Case(testDescription: "a separator that ends no line", bytes: Array("a\u{2028}b".utf8), line: 2, expected: nil),
        Case(
            testDescription: "a separator that ends a line of YAML", bytes: Array("a\u{2028}abX".utf8),
            file: "i/image.yaml", expected: ["abX", "  ^"]),
        Case(testDescription: "a credential", bytes: Array("one\nhttps://u:p@x.org\n".utf8), expected: nil),
        Case(testDescription: "no such line", bytes: Array("one".utf8), line: 9, expected: nil),
    ]

    @Test(arguments: cases)
    private func caretIsUnderTheColumn(case sample: Case) throws {
        let tree = try MemorySourceTree([sample.file: .file(sample.bytes)])
        let diagnostic = Diagnostic(
            code: "VRV040", file: try RepositoryPath(sample.file), line: sample.line, column: sample.column,
            message: "m")
        let excerpt = SourceExcerpt(diagnostic, in: tree)
        #expect(excerpt.map { [$0.line, $0.caret] } == sample.expected)
    }

    @Test(arguments: [1, 60, 500, 999])
    func longLinesAreClippedAroundTheColumn(column: Int) {
        var scalars = [Unicode.Scalar](repeating: "a", count: 1_000)
        scalars[column - 1] = "X"
        let excerpt = SourceExcerpt(scalars, column: column)
        #expect(excerpt.line.count <= 102)
        let position = excerpt.line.firstIndex(of: "X").map {
            excerpt.line.distance(from: excerpt.line.startIndex, to: $0)
        }
        #expect(position == excerpt.caret.count - 1)
    }

    @Test
    func everyCodeIsInTheArticle() throws {
        let article = try String(
            contentsOfFile: "Sources/VarveDefinition/VarveDefinition.docc/DiagnosticCodes.md", encoding: .utf8)
        for code in DiagnosticCode.allCases {
            #expect(article.contains("## \(code.rawValue)\n\n\(code.explanation)\n"), "\(code.rawValue)")
        }
    }
}
