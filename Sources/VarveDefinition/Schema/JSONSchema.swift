// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The JSON Schema (draft-07) of a file of the definition language, for editors.
///
/// It is made from the descriptions that the parser reads. A schema knows shapes and words; what has a grammar of its own
/// (references, requirements, match specs) is judged by `varve validate` alone.
public enum JSONSchema {
    /// Where `varve init` and `varve new` put the schema of `image.yaml`, below the repository's root.
    public static let imagePath = ".varve/image.schema.json"

    /// The schema of `image.yaml`, as text.
    public static var image: String {
        text(title: "image.yaml", summary: "The definition of an image that varve builds.", keys: ImageKeys.all)
    }

    /// Where `varve init` puts the schema of `varve.yaml`, below the repository's root.
    public static let fleetPath = ".varve/fleet.schema.json"

    /// The schema of `varve.yaml`, as text.
    public static var fleet: String {
        text(title: "varve.yaml", summary: "What holds for all images of the repository.", keys: FleetKeys.all)
    }

    /// The schema of a document with these keys, as text.
    public static func text(title: String, summary: String, keys: [KeyDescription]) -> String {
        let head: [(String, JSONNode)] = [
            ("$schema", .text("http://json-schema.org/draft-07/schema#")), ("title", .text(title)),
            ("description", .text(summary)),
        ]
        return JSONNode.object(head + record(keys)).text() + "\n"
    }

    /// YAML reads `1.10` and `yes` as other things than texts; varve takes every scalar by its text.
    private static let scalars: [JSONNode] = [.text("string"), .text("number"), .text("boolean")]

    private static func record(_ keys: [KeyDescription]) -> [(String, JSONNode)] {
        let known = keys.filter(\.isSupported)
        let properties = known.map { key -> (String, JSONNode) in
            let isRequired = isRequired(key)
            var node: [(String, JSONNode)] = [("description", .text(description(key)))]
            // A key without a value counts as not given.
            node += isRequired ? schema(key.type) : [("anyOf", .list([.object(schema(key.type)), null]))]
            return (key.name, .object(node))
        }
        var result: [(String, JSONNode)] = [
            ("type", .text("object")), ("properties", .object(properties)), ("additionalProperties", .boolean(false)),
        ]
        let required = known.filter(isRequired).map { JSONNode.text($0.name) }
        if !required.isEmpty { result.append(("required", .list(required))) }
        return result
    }

    /// Whether a file without the key is wrong, whatever else there is: `base` can come from `varve.yaml` or from an image
    /// that is copied, and the reader reports where it does not.
    private static func isRequired(_ key: KeyDescription) -> Bool {
        key.defaultText == nil && !key.isGivenElsewhere
    }

    private static let null = JSONNode.object([("type", .text("null"))])

    private static func description(_ key: KeyDescription) -> String {
        var text = key.summary
        if let value = key.defaultText {
            text += " Default: \(value)."
        } else {
            text += " Must be given" + (key.isGivenElsewhere ? ", here or in \(FleetKeys.fileName), or copied." : ".")
        }
        if !key.layers.isEmpty {
            let layers =
                key.layers == LayerKind.allCases ? "every layer" : key.layers.map(\.rawValue).joined(separator: ", ")
            text += " A change rebuilds: \(layers), and what stands on it."
        }
        return text
    }

    private static func schema(_ type: ValueType) -> [(String, JSONNode)] {
        switch type {
        case .text: return [("type", .list(scalars))]
        case .boolean: return [("type", .text("boolean"))]
        case .word(let words): return [("enum", .list(words.map { .text($0) }))]
        case .list(let element): return list(of: .object(schema(element)))
        case .texts:
            return [("type", .text("object")), ("additionalProperties", .object([("type", .list(scalars))]))]
        case .lists:
            let names = JSONNode.object(list(of: .object([("type", .list(scalars))])))
            return [
                ("type", .text("object")), ("additionalProperties", .object([("anyOf", .list([names, null]))])),
            ]
        case .lines:
            let scalar = JSONNode.object([("type", .list(scalars))])
            return [("anyOf", .list([scalar, .object(list(of: scalar))]))]
        case .dependencies:
            let scalar = JSONNode.object([("type", .list(scalars))])
            let pip = JSONNode.object([
                ("type", .text("object")), ("properties", .object([("pip", .object(list(of: scalar)))])),
                ("required", .list([.text("pip")])), ("additionalProperties", .boolean(false)),
            ])
            return list(of: .object([("anyOf", .list([scalar, pip]))]))
        case .record(let keys): return record(keys)
        case .textOrRecord(let keys):
            let scalar = JSONNode.object([("type", .list(scalars))])
            return [("anyOf", .list([scalar, .object(record(keys))]))]
        }
    }

    private static func list(of element: JSONNode) -> [(String, JSONNode)] {
        [("type", .text("array")), ("items", element)]
    }
}

/// A JSON value whose members keep their order.
enum JSONNode: Sendable {
    case text(String)
    case boolean(Bool)
    case list([JSONNode])
    case object([(String, JSONNode)])

    /// The value as indented JSON.
    func text(indentation: String = "") -> String {
        let inner = indentation + "  "
        switch self {
        case .text(let text): return Self.quoted(text)
        case .boolean(let value): return value ? "true" : "false"
        case .list(let items):
            if items.isEmpty { return "[]" }
            return "[\n" + items.map { inner + $0.text(indentation: inner) }.joined(separator: ",\n")
                + "\n\(indentation)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { inner + Self.quoted($0.0) + ": " + $0.1.text(indentation: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                if scalar.value < 0x20 {
                    let hex = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
