// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// One key of the definition language.
///
/// The parser, the suggestions, the documentation's test and the JSON schema all read
/// these descriptions, so that a key is described in one place.
public struct KeyDescription: Sendable {
    /// The key as it is written.
    public var name: String
    /// What it takes.
    public var type: ValueType
    /// What holds where the key is not given, as text for people; nil where it must be given.
    public var defaultText: String?
    /// The layers whose keys it changes; none where a change rebuilds nothing.
    public var layers: [LayerKind]
    /// One sentence for people.
    public var summary: String
    /// Whether this version can build it; a key that is known but not supported is refused with its own code.
    public var isSupported: Bool
    /// Whether something else can give it where it must be given: a schema, which sees one file, does not ask for it then.
    public var isGivenElsewhere: Bool

    init(
        _ name: String, _ type: ValueType, default defaultText: String?, layers: [LayerKind] = [], _ summary: String,
        isSupported: Bool = true, isGivenElsewhere: Bool = false
    ) {
        self.name = name
        self.type = type
        self.defaultText = defaultText
        self.layers = layers
        self.summary = summary
        self.isSupported = isSupported
        self.isGivenElsewhere = isGivenElsewhere
    }
}

/// What a key takes.
public indirect enum ValueType: Sendable {
    /// Any scalar, by its text.
    case text
    /// `true` or `false`.
    case boolean
    /// One of a set of words.
    case word([String])
    /// A list of values of one type.
    case list(ValueType)
    /// A mapping from names to texts.
    case texts
    /// A mapping from names to lists of texts.
    case lists
    /// A text of several lines, or a list with a line an item.
    case lines
    /// The `dependencies` of a conda environment: texts, and mappings with the one key `pip`.
    case dependencies
    /// A mapping with these keys.
    case record([KeyDescription])
    /// A text, or a mapping with these keys.
    case textOrRecord([KeyDescription])

    /// What a person would call it, for messages.
    var expectation: String {
        switch self {
        case .text: "a text"
        case .boolean: "true or false"
        case .word(let words): "one of " + words.joined(separator: ", ")
        case .list: "a list"
        case .texts: "a mapping of names to texts"
        case .lists: "a mapping of names to lists"
        case .dependencies: "a list"
        case .lines: "a text or a list of texts"
        case .record: "a mapping"
        case .textOrRecord: "a text or a mapping"
        }
    }
}
