// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong with a definition, where it stands, and what was expected.
public struct Diagnostic: Error, Hashable, Sendable {
    /// A stable code, `VRV0xx`.
    public var code: String
    /// The file, relative to the repository's root.
    public var file: RepositoryPath
    /// The line, from 1; 0 where the error concerns the whole file.
    public var line: Int
    /// The column in characters, from 1; 0 where the error concerns the whole line.
    public var column: Int
    /// What is wrong and what was expected: lower case, no full stop.
    public var message: String
    /// Whether the definition can be used all the same.
    public var severity: Severity
    /// What to do about it, where there is one thing to do: the nearest valid word, the way to do it right.
    public var hint: String?

    /// A diagnostic at a place.
    public init(
        code: String, file: RepositoryPath, line: Int = 0, column: Int = 0, message: String, hint: String? = nil,
        severity: Severity = .error
    ) {
        self.code = code
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
        self.severity = severity
    }

    /// How much a diagnostic weighs.
    public enum Severity: String, Hashable, Sendable {
        /// The definition cannot be used.
        case error
        /// The definition can be used, but it does less than somebody may expect.
        case warning
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: message [code]`, as compilers write it, with the hint in parentheses.
    public var description: String {
        var place = file.description
        if line > 0 { place += ":\(line)" }
        if line > 0, column > 0 { place += ":\(column)" }
        if severity == .warning { place += ": warning" }
        return singleLine("\(place): \(message)") + (hint.map { " (" + singleLine($0) + ")" } ?? "") + " [\(code)]"
    }
}

/// A folder with an `image.yaml` that cannot be used, and why.
public struct InvalidDefinition: Hashable, Sendable {
    /// The image's name as far as it is known: what `name` says, else the folder's name; made safe for one line.
    public var name: String
    /// The folder that holds `image.yaml`.
    public var folder: RepositoryPath
    /// The tree id of that folder.
    public var tree: ObjectID
    /// All that is wrong, in order of place; never empty.
    public var diagnostics: [Diagnostic]

    /// An unusable definition.
    public init(name: String, folder: RepositoryPath, tree: ObjectID, diagnostics: [Diagnostic]) {
        self.name = singleLine(name, limit: 128)
        self.folder = folder
        self.tree = tree
        self.diagnostics = diagnostics.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }
}

/// All definitions of one commit.
///
/// A broken one never hides the others.
public struct Fleet: Sendable {
    /// The usable definitions, by name; names are unique.
    public var images: [ImageDefinition]
    /// The unusable ones, by folder.
    public var invalid: [InvalidDefinition]
    /// What people should know of usable and unusable ones alike, by the image's folder.
    public var warnings: [RepositoryPath: [Diagnostic]]

    /// What is wrong with the file for the whole repository; each definition is then invalid for it.
    public var fileDiagnostics: [Diagnostic]

    /// Everything that is wrong, each thing once.
    public var diagnostics: [Diagnostic] { Self.distinct(fileDiagnostics + invalid.flatMap(\.diagnostics)) }

    /// Diagnostics in their order, without those that came before.
    public static func distinct(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        return diagnostics.filter { seen.insert($0).inserted }
    }

    /// The definitions of one commit.
    public init(
        images: [ImageDefinition], invalid: [InvalidDefinition], warnings: [RepositoryPath: [Diagnostic]] = [:],
        fileDiagnostics: [Diagnostic] = []
    ) {
        self.warnings = warnings
        self.fileDiagnostics = fileDiagnostics
        self.images = images.sorted { $0.name < $1.name }
        self.invalid = invalid.sorted { $0.folder < $1.folder }
    }
}
