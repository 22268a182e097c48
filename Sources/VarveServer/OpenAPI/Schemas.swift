// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveReconcile

/// The JSON schemas of what the API answers and takes (JSON Schema 2020-12, as OpenAPI 3.1 uses it).
enum Schemas {
    private static let text: JSONNode = ["type": "string"]
    private static let texts: JSONNode = ["type": "array", "items": ["type": "string"]]
    private static let whole: JSONNode = ["type": "integer"]
    private static let number: JSONNode = ["type": "number"]
    private static let flag: JSONNode = ["type": "boolean"]
    private static let moment: JSONNode = [
        "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    ]
    private static let imageName: JSONNode = [
        "type": "string", "pattern": "^[a-z0-9]+([._-][a-z0-9]+)*$", "maxLength": 128,
    ]
    private static let layerKinds = JSONNode.list(LayerKind.allCases.map { .text($0.rawValue) })
    private static let kind: JSONNode = ["type": "string", "enum": layerKinds]
    private static let statuses: JSONNode = [
        "type": "string", "enum": .list(ImageStatus.allCases.map { .text($0.rawValue) }),
    ]

    /// An object whose members must all be there, but for the optional ones.
    static func object(_ required: [String: JSONNode], optional: [String: JSONNode] = [:]) -> JSONNode {
        [
            "type": "object", "properties": .object(required.merging(optional) { $1 }),
            "required": .list(required.keys.sorted().map(JSONNode.text)),
        ]
    }

    /// A list of one of the components.
    static func list(of name: String) -> JSONNode { ["type": "array", "items": reference(name)] }

    /// One of the components.
    static func reference(_ name: String) -> JSONNode { ["$ref": .text("#/components/schemas/" + name)] }

    /// What a named segment of a path is.
    static func segment(_ name: String) -> JSONNode {
        name == "id" ? ["type": "string", "pattern": "^[0-9a-f]{12,32}$"] : imageName
    }

    private static func body(_ members: [String: JSONNode]) -> JSONNode {
        ["type": "object", "additionalProperties": false, "properties": .object(members)]
    }

    static let emptyBody = body([:])
    static let rebuildBody = body([
        "layer": ["type": ["string", "null"], "enum": .list(LayerKind.allCases.map { .text($0.rawValue) } + [.null])]
    ])
    static let reconcileBody = body([
        "images": ["type": ["array", "null"], "items": imageName, "maxItems": 1_000]
    ])

    static let components: [String: JSONNode] = [
        "Error": object(["error": object(["code": text, "message": text])]),
        "Accepted": object(["image": imageName, "repository": text], optional: ["suspended": flag, "leader": text]),
        "AcceptedPass": object(["images": texts, "repositories": texts]),
        "Repository": object(
            ["name": text, "running": whole, "queued": whole, "suspended": whole, "ready": flag],
            optional: ["lastPass": reference("LastPass")]),
        "LastPass": object(
            ["end": moment, "seconds": number, "unsent": whole], optional: ["commit": text, "error": text]),
        "Queue": object(
            [
                "repository": text, "running": list(of: "Running"), "suspended": texts,
                "queued": [
                    "type": "array",
                    "items": object([
                        "image": imageName, "owner": text, "since": moment,
                        "urgency": ["enum": .list(BuildClass.allCases.map { .text($0.rawValue) })],
                    ]),
                ],
            ], optional: ["lastPass": reference("LastPass")]),
        "Running": object(["image": imageName, "build": text, "step": text, "start": moment]),
        "RunningBuild": object(["id": text, "image": imageName, "status": statuses, "step": text, "start": moment]),
        "Image": object(["name": text, "status": statuses], optional: imageMembers),
        "ImageDetail": object(
            ["name": text, "status": statuses],
            optional: imageMembers.merging([
                "plan": reference("ImagePlan"), "latest": reference("Build"), "running": reference("Running"),
            ]) { $1 }),
        "Plan": object(
            ["images": list(of: "ImagePlan"), "errors": list(of: "Diagnostic")], optional: ["commit": text]),
        "ImagePlan": object(
            [
                "name": text, "status": statuses, "reasons": list(of: "Reason"),
                "action": ["enum": ["none", "build", "wait", "blocked", "invalid"]],
                "layers": [
                    "type": "array",
                    "items": object(
                        ["kind": kind, "action": ["enum": ["reuse", "build", "wait"]]],
                        optional: ["key": text, "platform": text]),
                ],
            ], optional: ["cause": text]),
        "Reason": object(["kind": text], optional: ["layer": kind, "old": texts, "new": texts]),
        "Diagnostic": object(
            ["code": text, "file": text, "line": whole, "column": whole, "message": text, "severity": text],
            optional: ["hint": text]),
        "Graph": object(
            [
                "images": [
                    "type": "array",
                    "items": object(
                        ["name": text, "status": statuses, "layers": texts],
                        optional: ["parent": imageName, "base": text]),
                ],
                "layers": [
                    "type": "array",
                    "items": object(
                        ["key": text, "kind": kind, "action": text, "images": texts], optional: ["parent": text]),
                ],
            ], optional: ["commit": text]),
        "Build": object(
            [
                "version": whole, "id": text, "image": imageName, "folder": text, "commit": text, "trigger": text,
                "status": statuses, "reasons": list(of: "Reason"), "tags": texts, "start": moment, "seconds": number,
                "engine": text, "host": text,
                "layers": [
                    "type": "array",
                    "items": object(
                        [
                            "kind": kind, "key": text, "seconds": number,
                            "action": ["enum": ["built", "reused", "failed"]],
                        ], optional: ["size": whole, "digest": text, "platform": text]),
                ],
            ],
            optional: [
                "tree": text, "reference": text, "manifestDigest": text, "configDigest": text, "platform": text,
                "verify": text, "base": ["type": "object"],
                "platforms": ["type": "array", "items": ["type": "object"]],
                "error": object(["class": text, "message": text, "tail": text], optional: ["layer": kind]),
            ]),
    ]

    private static let imageMembers: [String: JSONNode] = [
        "built": moment, "reference": text, "owner": text, "step": text, "detail": text,
    ]
}
