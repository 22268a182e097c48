// SPDX-License-Identifier: Apache-2.0

extension API {
    /// Every operation there is; the router and the OpenAPI document are both made from this.
    var routes: [Route] { openRoutes + readRoutes + buildRoutes + actRoutes }

    private static let repository = Route.Parameter(
        name: "repository", summary: "The repository, where the daemon has several.", schema: ["type": "string"])

    /// An event of a followed log.
    private static let logEvent: JSONNode = [
        "type": "object", "required": ["data"],
        "properties": [
            "event": ["type": "string", "enum": ["message", "end"]], "id": ["type": "string"],
            "data": ["type": "string"],
        ],
    ]

    private static func json(_ summary: String, _ schema: JSONNode) -> [Route.Answer] {
        [Route.Answer(summary: summary, schema: schema)]
    }

    private var openRoutes: [Route] {
        [
            Route(
                method: "GET", path: "/healthz", id: "alive", summary: "Whether the process answers.", access: .open,
                answers: Self.json("It does.", Schemas.object(["alive": ["type": "boolean"]])), handler: alive),
            Route(
                method: "GET", path: "/readyz", id: "ready",
                summary: "Whether the last pass over each repository was carried through lately.", access: .open,
                answers: Self.json("It was.", Schemas.object(["ready": ["type": "boolean"]])), errors: [503],
                handler: ready),
            Route(
                method: "GET", path: "/metrics", id: "metrics", summary: "Metrics in Prometheus' text format.",
                access: areMetricsOpen ? .open : .scope(.read),
                answers: [Route.Answer(summary: "The metrics.", type: "text/plain", schema: ["type": "string"])],
                handler: metricsText),
        ]
    }

    private var readRoutes: [Route] {
        [
            Route(
                method: "GET", path: "/api/v1/openapi.json", id: "openapi", summary: "This document.",
                answers: Self.json("The document.", ["type": "object"]),
                handler: { _ in try .json(OpenAPIDocument.make(routes)) }),
            Route(
                method: "GET", path: "/api/v1/repositories", id: "repositories", summary: "The daemon's repositories.",
                answers: Self.json("The repositories.", Schemas.list(of: "Repository")), handler: repositoryList),
            Route(
                method: "GET", path: "/api/v1/images", id: "images",
                summary: "How each image stands, as 'varve status' says it.", parameters: [Self.repository],
                answers: Self.json("The images, by name.", Schemas.list(of: "Image")), errors: [404, 503],
                handler: imageList),
            Route(
                method: "GET", path: "/api/v1/images/{name}", id: "image",
                summary: "One image, with its plan and its newest record.", parameters: [Self.repository],
                answers: Self.json("The image.", Schemas.reference("ImageDetail")), errors: [404, 503],
                handler: imageDetail),
            Route(
                method: "GET", path: "/api/v1/queue", id: "queue", summary: "What is built, and what waits.",
                parameters: [Self.repository], answers: Self.json("The queue.", Schemas.reference("Queue")),
                errors: [404], handler: queue),
            Route(
                method: "GET", path: "/api/v1/plan", id: "plan",
                summary: "What would be built and why, as 'varve plan' says it.",
                parameters: [
                    Self.repository,
                    Route.Parameter(
                        name: "bases", summary: "Ask the registry what bases are now, or believe the records.",
                        schema: ["type": "string", "enum": ["registry", "recorded"], "default": "registry"]),
                ],
                answers: Self.json("The plan.", Schemas.reference("Plan")), errors: [404, 503], handler: plan),
            Route(
                method: "GET", path: "/api/v1/graph", id: "graph",
                summary: "What each image stands on, and the distinct layers.", parameters: [Self.repository],
                answers: Self.json("The graph.", Schemas.reference("Graph")), errors: [404, 503], handler: graph),
        ]
    }

    private var buildRoutes: [Route] {
        [
            Route(
                method: "GET", path: "/api/v1/images/{name}/builds", id: "builds",
                summary: "The records of an image, newest first, as 'varve history' says them.",
                parameters: [
                    Self.repository,
                    Route.Parameter(
                        name: "limit", summary: "At most so many.",
                        schema: ["type": "integer", "minimum": 1, "maximum": 1_000, "default": 100]),
                ],
                answers: Self.json("The records.", Schemas.list(of: "Build")), errors: [404, 503],
                handler: imageBuilds),
            Route(
                method: "GET", path: "/api/v1/builds/{id}", id: "build",
                summary: "One build: its record, or what it is at while it runs.", parameters: [Self.repository],
                answers: Self.json(
                    "The build.",
                    ["anyOf": [Schemas.reference("Build"), Schemas.reference("RunningBuild")]]),
                errors: [404, 503], handler: build),
            Route(
                method: "GET", path: "/api/v1/builds/{id}/log", id: "log",
                summary: "The log of a build, as text, or as server-sent events until the build ends.",
                parameters: [
                    Self.repository,
                    Route.Parameter(
                        name: "follow",
                        summary: "Server-sent events, as 'Accept: text/event-stream' asks for them too.",
                        schema: ["type": "boolean", "default": false]),
                ],
                answers: [
                    Route.Answer(summary: "The log.", type: "text/plain", schema: ["type": "string"]),
                    Route.Answer(
                        summary: "The log, an event a line; each event is as the schema says.",
                        type: "text/event-stream", schema: Self.logEvent),
                ],
                errors: [404, 503], handler: buildLog),
        ]
    }

    private var actRoutes: [Route] {
        [
            Route(
                method: "POST", path: "/api/v1/images/{name}/rebuild", id: "rebuild",
                summary: "Has an image built although it is as defined, executing its layers from one on.",
                access: .scope(.act), parameters: [Self.repository], body: Schemas.rebuildBody, status: 202,
                answers: Self.json("It will be built.", Schemas.reference("Accepted")), errors: [404, 503],
                handler: rebuild),
            Route(
                method: "POST", path: "/api/v1/images/{name}/stop", id: "stop",
                summary: "Ends an image's running build.", access: .scope(.act), parameters: [Self.repository],
                body: Schemas.emptyBody, status: 202,
                answers: Self.json("It is being ended.", Schemas.reference("Accepted")), errors: [404, 409],
                handler: stop),
            Route(
                method: "POST", path: "/api/v1/images/{name}/suspend", id: "suspend",
                summary: "Leaves an image alone until it is resumed.", access: .scope(.act),
                parameters: [Self.repository], body: Schemas.emptyBody, status: 202,
                answers: Self.json("It is suspended.", Schemas.reference("Accepted")), errors: [404, 503],
                handler: suspend),
            Route(
                method: "POST", path: "/api/v1/images/{name}/resume", id: "resume",
                summary: "Ends what 'suspend' began.", access: .scope(.act), parameters: [Self.repository],
                body: Schemas.emptyBody, status: 202,
                answers: Self.json("It is resumed.", Schemas.reference("Accepted")), errors: [404, 503],
                handler: resume),
            Route(
                method: "POST", path: "/api/v1/reconcile", id: "reconcile",
                summary: "Has a repository looked at anew, or all; named images go before others.",
                access: .scope(.act), parameters: [Self.repository], body: Schemas.reconcileBody, status: 202,
                answers: Self.json("It will be looked at.", Schemas.reference("AcceptedPass")), errors: [404, 503],
                handler: reconcile),
        ]
    }
}
