// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
import VarveModel

/// Diagnostics as lines for people: each with the line that it is about and a caret under the place.
enum DiagnosticText {
    /// The lines of some diagnostics.
    ///
    /// - Parameters:
    ///   - tree: the files that the diagnostics are about; without it there are no carets.
    ///   - prefix: what stands before each diagnostic.
    static func lines(_ diagnostics: [Diagnostic], in tree: (any SourceTree)?, prefix: String = "") -> [String] {
        diagnostics.flatMap { diagnostic -> [String] in
            guard let tree, let excerpt = SourceExcerpt(diagnostic, in: tree) else {
                return [prefix + diagnostic.description]
            }
            return [prefix + diagnostic.description, "  " + excerpt.line, "  " + excerpt.caret]
        }
    }

    /// The lines of what is wrong with a definition.
    static func lines(_ definition: InvalidDefinition, in tree: (any SourceTree)?) -> [String] {
        lines(definition.diagnostics, in: tree, prefix: "\(definition.name): invalid: ")
    }
}
