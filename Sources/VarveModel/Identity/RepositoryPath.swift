// SPDX-License-Identifier: Apache-2.0

/// A path inside a repository's tree, relative to its root, with `/` between components.
///
/// The root itself is empty.
///
/// No component is empty, `.`, `..` or `.git`, and none holds a NUL byte: a path cannot leave the repository.
public struct RepositoryPath: Hashable, Sendable, Comparable {
    /// The components, none for the root.
    public let components: [String]

    /// The root of the repository.
    public static let root = RepositoryPath(components: [])

    private init(components: [String]) { self.components = components }

    /// Reads a relative path.
    ///
    /// A leading `./` and a trailing `/` are dropped.
    ///
    /// - Throws: `ValueError` when it is absolute or has a component that is not allowed.
    public init(_ text: String) throws(ValueError) {
        self = try RepositoryPath.root.resolving(text, allowParent: false)
    }

    /// The path that `text` means when it stands in a file of this folder; `..` may climb, but not past the root.
    ///
    /// - Throws: `ValueError` when it is absolute, climbs past the root, or has a component that is not allowed.
    public func resolving(_ text: String) throws(ValueError) -> RepositoryPath {
        try resolving(text, allowParent: true)
    }

    private func resolving(_ text: String, allowParent: Bool) throws(ValueError) -> RepositoryPath {
        var result = components
        if text.utf8.first == 0x2f {
            throw ValueError(
                type: "path", value: text, rule: "expected a path inside the repository, not an absolute one")
        }
        // By bytes: as characters, a '/' and a combining mark after it are one character that is no '/'.
        for part in text.utf8.split(separator: 0x2f, omittingEmptySubsequences: true).map({ String(Substring($0)) }) {
            if part == "." { continue }
            if part == ".." {
                guard allowParent, result.popLast() != nil else {
                    throw ValueError(
                        type: "path", value: text, rule: "expected a path that stays inside the repository")
                }
                continue
            }
            guard !part.utf8.contains(0), part.lowercased() != ".git" else {
                throw ValueError(type: "path", value: text, rule: "expected no NUL byte and no .git folder")
            }
            result.append(part)
        }
        return RepositoryPath(components: result)
    }

    /// The last component, empty for the root.
    public var name: String { components.last ?? "" }

    /// The folder that holds this path, nil for the root.
    public var parent: RepositoryPath? {
        components.isEmpty ? nil : RepositoryPath(components: Array(components.dropLast()))
    }

    /// This path with one more component that comes from a Git tree, and so is known to be well formed.
    ///
    /// - Throws: `ValueError` when the component is not allowed.
    public func appending(_ component: String) throws(ValueError) -> RepositoryPath {
        guard !component.isEmpty, component != ".", component != "..", !component.utf8.contains(0),
            !component.utf8.contains(0x2f), component.lowercased() != ".git"
        else {
            throw ValueError(type: "path component", value: component, rule: "expected a plain file name")
        }
        return RepositoryPath(components: components + [component])
    }

    /// Whether `other` is this path or lies below it.
    public func contains(_ other: RepositoryPath) -> Bool {
        other.components.starts(with: components) { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Compares bytes, as Git does: `é` in one form and `é` in another are two paths.
    public static func == (left: RepositoryPath, right: RepositoryPath) -> Bool {
        left.components.elementsEqual(right.components) { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Hashes the components; equal bytes are equal texts, so equal paths have equal hashes.
    public func hash(into hasher: inout Hasher) { hasher.combine(components) }

    /// Orders by components, byte by byte, so that output is stable.
    public static func < (left: RepositoryPath, right: RepositoryPath) -> Bool {
        left.components.lexicographicallyPrecedes(right.components) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension RepositoryPath: CustomStringConvertible {
    /// The components joined by `/`; `.` for the root.
    public var description: String { components.isEmpty ? "." : components.joined(separator: "/") }
}

extension RepositoryPath: TextualValue {}
