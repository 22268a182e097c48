// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
public import VarveModel
public import VarvePlan

/// What would be built and why: the answer of `varve plan` and of `GET /api/v1/plan`.
public struct PlanJSON: Encodable, Sendable {
    /// One image.
    public struct Image: Encodable, Sendable {
        /// The image, or the folder of a definition that names none.
        public let name: String
        /// The state.
        public let status: ImageStatus
        /// `none`, `build`, `wait`, `blocked` or `invalid`.
        public let action: String
        /// Why it is to be built.
        public let reasons: [RebuildReason]
        /// The layers, the lowest first.
        public let layers: [Layer]
        /// What it waits for, or what blocks it.
        public let cause: String?
    }

    /// One layer of an image.
    public struct Layer: Encodable, Sendable {
        /// The kind.
        public let kind: LayerKind
        /// The key; nil while the base is unknown.
        public let key: LayerKey?
        /// What a pass would do.
        public let action: LayerPlan.Action
        /// Named where the image has several.
        public let platform: Platform?
    }

    /// The commit; nil for a repository without one.
    public let commit: ObjectID?
    /// The images, by name.
    public let images: [Image]
    /// What is wrong with definitions.
    public let errors: [DiagnosticJSON]

    /// The plan of a commit.
    public init(commit: ObjectID, plan: Plan) {
        self.commit = commit
        let invalid = plan.invalid.map {
            Image(name: $0.name, status: .invalid, action: "invalid", reasons: [], layers: [], cause: nil)
        }
        images = (plan.images.map(Image.init) + invalid).sorted { $0.name < $1.name }
        errors = Fleet.distinct(plan.invalid.flatMap(\.diagnostics)).map(DiagnosticJSON.init)
    }

    /// The plan of a repository without a commit.
    init() {
        commit = nil
        images = []
        errors = []
    }
}

extension PlanJSON.Image {
    /// The plan of one image.
    init(_ image: ImagePlan) {
        let layers = image.platforms.flatMap { part in
            part.layers.map { layer in
                PlanJSON.Layer(
                    kind: layer.kind, key: layer.key, action: layer.action,
                    platform: image.others.isEmpty ? nil : part.platform)
            }
        }
        self.init(
            name: image.definition.name.value, status: image.status, action: image.action.rawValue,
            reasons: image.reasons, layers: layers, cause: image.cause)
    }
}

/// A diagnostic as the JSON formats carry it.
public struct DiagnosticJSON: Encodable, Sendable {
    /// The stable code.
    public let code: String
    /// The file, by its path in the repository.
    public let file: String
    /// The line, from 1; 0 for the whole file.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String
    /// How to mend it.
    public let hint: String?
    /// `error` or `warning`.
    public let severity: String

    /// A diagnostic.
    public init(_ diagnostic: Diagnostic) {
        severity = diagnostic.severity.rawValue
        code = diagnostic.code
        file = diagnostic.file.description
        line = diagnostic.line
        column = diagnostic.column
        message = diagnostic.message
        hint = diagnostic.hint
    }
}
