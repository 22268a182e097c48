// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Any JSON, for assertions about what a program printed.
///
/// A member or an element that is not there is `.null`.
public enum JSONValue: Hashable, Sendable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Decodes whatever is there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Reads one JSON text.
    ///
    /// - Throws: `FixtureError` with the text when it is not JSON.
    public init(parsing text: String) throws {
        do {
            self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            throw FixtureError("not JSON: \(error)\n\(text)")
        }
    }

    /// A member of an object.
    public subscript(_ name: String) -> JSONValue {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    /// An element of a list.
    public subscript(_ index: Int) -> JSONValue {
        if case .list(let elements) = self, elements.indices.contains(index) { elements[index] } else { .null }
    }

    /// The text, where it is one.
    public var string: String? { if case .text(let value) = self { value } else { nil } }

    /// The number as an integer, where it is one.
    public var int: Int? { if case .number(let value) = self { Int(exactly: value) } else { nil } }

    /// The number, where it is one.
    public var double: Double? { if case .number(let value) = self { value } else { nil } }

    /// The truth value, where it is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements; none where it is no list.
    public var array: [JSONValue] { if case .list(let elements) = self { elements } else { [] } }

    /// The members; none where it is no object.
    public var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }

    /// The elements that are texts.
    public var strings: [String] { array.compactMap(\.string) }
}
