// SPDX-License-Identifier: Apache-2.0

/// The description of the API (OpenAPI 3.1.0), made from the table that the router uses.
enum OpenAPIDocument {
    /// The document of some routes.
    static func make(_ routes: [Route]) -> JSONNode {
        var paths: [String: JSONNode] = [:]
        for path in Set(routes.map(\.path)) {
            let own = routes.filter { $0.path == path }
            paths[path] = .object(Dictionary(own.map { ($0.method.lowercased(), operation($0)) }) { $1 })
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "varve", "version": "1",
                "description":
                    "What a running varve daemon tells and takes. Errors are {\"error\": {\"code\", \"message\"}}.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(Schemas.components),
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONNode {
        var result: [String: JSONNode] = [
            "operationId": .text(route.id), "summary": .text(route.summary), "responses": responses(route),
        ]
        var parameters = route.segmentNames.map { name -> JSONNode in
            ["name": .text(name), "in": "path", "required": true, "schema": Schemas.segment(name)]
        }
        parameters += route.parameters.map { parameter -> JSONNode in
            [
                "name": .text(parameter.name), "in": "query", "required": false,
                "description": .text(parameter.summary), "schema": parameter.schema,
            ]
        }
        if !parameters.isEmpty { result["parameters"] = .list(parameters) }
        if let body = route.body {
            result["requestBody"] = ["required": false, "content": ["application/json": ["schema": body]]]
        }
        if case .scope(let scope) = route.access {
            result["security"] = [["token": []]]
            result["description"] = .text("Needs a token with the scope '\(scope.rawValue)'.")
        } else {
            result["security"] = []
        }
        return .object(result)
    }

    private static func responses(_ route: Route) -> JSONNode {
        let content = route.answers.map { ($0.type, ["schema": $0.schema] as JSONNode) }
        var result: [String: JSONNode] = [
            String(route.status): [
                "description": .text(route.answers.first?.summary ?? ""),
                "content": .object(Dictionary(content) { $1 }),
            ]
        ]
        var errors = Set(route.errors)
        if case .scope = route.access { errors.formUnion([401, 403]) }
        // What is wrong with the query, the path or the body, whatever the operation takes.
        errors.insert(400)
        if route.body != nil { errors.formUnion([413, 415]) }
        for status in errors {
            let schema: JSONNode =
                route.id == "ready" && status == 503
                ? Schemas.object(["ready": ["type": "boolean"]]) : Schemas.reference("Error")
            result[String(status)] = [
                "description": .text(Self.descriptions[status] ?? "An error."),
                "content": ["application/json": ["schema": schema]],
            ]
        }
        return .object(result)
    }

    private static let descriptions: [Int: String] = [
        400: "The request is not well formed.", 401: "No token, or one that nobody has.",
        403: "The token does not have the scope.", 404: "There is no such repository, image or build.",
        409: "The image is not in a state for this.", 413: "The body has more than 1 MiB.",
        415: "The body is no JSON.", 503: "Not now; try again.",
    ]
}
