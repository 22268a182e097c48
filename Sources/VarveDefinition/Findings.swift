// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A place in a file, for diagnostics.
///
/// Line and column count from 1; 0 stands for the whole file or line.
struct Place: Hashable, Sendable {
    var file: RepositoryPath
    var line = 0
    var column = 0

    /// The place that is `characters` further on the same line.
    func advanced(by characters: Int) -> Place {
        Place(file: file, line: line, column: column + characters)
    }
}

/// Collects all that is wrong with one folder, so that a person sees it at once.
///
/// A class, because many readers of one folder add to the same list; it never leaves the reading task.
final class Findings {
    private var found: Set<Diagnostic> = []
    private var warned: Set<Diagnostic> = []

    /// How many diagnostics a folder can have; a hostile file could otherwise yield millions.
    private static let limit = 200

    /// Whether nothing is wrong so far.
    var isEmpty: Bool { found.isEmpty }

    /// How many errors there are so far.
    var count: Int { found.count }

    /// Whether nothing more will be taken; readers of long lists then stop.
    var isFull: Bool { found.count >= Self.limit }

    /// Adds one diagnostic.
    ///
    /// Text of the definition in `message` is made safe by `quoted`.
    func report(_ code: DiagnosticCode, at place: Place, _ message: String, hint: String? = nil) {
        guard found.count < Self.limit else { return }
        found.insert(
            Diagnostic(
                code: code.rawValue, file: place.file, line: place.line, column: place.column, message: message,
                hint: hint
            )
        )
    }

    /// Adds a diagnostic that was made elsewhere.
    func add(_ diagnostic: Diagnostic) {
        if found.count < Self.limit { found.insert(diagnostic) }
    }

    /// Adds one warning: the definition can be used, but it does less than somebody may expect.
    func warn(_ code: DiagnosticCode, at place: Place, _ message: String, hint: String? = nil) {
        guard warned.count < Self.limit else { return }
        warned.insert(
            Diagnostic(
                code: code.rawValue, file: place.file, line: place.line, column: place.column, message: message,
                hint: hint, severity: .warning
            )
        )
    }

    /// All errors by file, line and column.
    var sorted: [Diagnostic] { Self.sorted(found) }

    /// All warnings by file, line and column.
    var warnings: [Diagnostic] { Self.sorted(warned) }

    private static func sorted(_ diagnostics: Set<Diagnostic>) -> [Diagnostic] {
        diagnostics.sorted {
            ($0.file, $0.line, $0.column, $0.code, $0.message) < ($1.file, $1.line, $1.column, $1.code, $1.message)
        }
    }
}

/// Text of a definition in quotes, on one line, not too long, and with `***` for what looks like a credential.
func quoted(_ text: some StringProtocol) -> String {
    "'" + singleLine(redacted(String(text)), limit: 80) + "'"
}
