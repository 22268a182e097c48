// SPDX-License-Identifier: Apache-2.0

public import VarveModel
import VarvePlan
public import VarveReconcile

/// How one image stands: a row of `varve status` and of `GET /api/v1/images`.
public struct StatusJSON: Encodable, Sendable {
    /// The image, or the folder of a definition that names none.
    public var name: String
    /// The state.
    public var status: ImageStatus
    /// When the published image was built.
    public var built: Timestamp?
    /// The published image by digest.
    public var reference: String?
    /// Whose it is.
    public var owner: String?
    /// What is being done about it.
    public var step: String?
    /// Why it stands so.
    public var detail: String?
}

extension StatusJSON {
    /// What is being done about an image.
    public struct Running: Sendable {
        /// The layer, `verify` or `publish`.
        public var step: String
        /// Since when the image is built.
        public var start: Timestamp

        /// A running build.
        public init(step: String, start: Timestamp) {
            self.step = step
            self.start = start
        }
    }

    /// The rows of all images, by name.
    ///
    /// - Parameters:
    ///   - running: what is being built, by the image's name.
    ///   - suspended: what an operator has suspended.
    public static func rows(
        _ findings: Survey.Findings, running: [String: Running], suspended: [ImageName]
    ) -> [StatusJSON] {
        let suspended = Set(suspended)
        var rows = findings.plan.images.map { image in
            let name = image.definition.name
            return row(image, running: running[name.value], isSuspended: suspended.contains(name))
        }
        rows += findings.plan.invalid.map { definition in
            let good = (try? ImageName(definition.name)).flatMap { findings.history.lastGood[$0] }
            return StatusJSON(
                name: definition.name, status: .invalid, built: good?.start, reference: good?.reference,
                detail: definition.diagnostics.first?.description)
        }
        rows += findings.plan.retired.map {
            StatusJSON(
                name: $0.image.value, status: .retired, built: $0.start, reference: $0.reference,
                detail: "definition is gone")
        }
        return rows.sorted { $0.name < $1.name }
    }

    private static func row(_ image: ImagePlan, running: Running?, isSuspended: Bool) -> StatusJSON {
        var row = StatusJSON(
            name: image.definition.name.value, status: image.status, built: image.lastGood?.start,
            reference: image.lastGood?.reference, owner: image.definition.owner.text, detail: image.cause)
        if let running {
            row.status = .building
            row.step = running.step
            row.detail = "\(running.step) since \(running.start)"
        } else if isSuspended {
            row.status = .suspended
            row.detail = "suspended by an operator"
        } else if image.action == .build {
            row.detail = image.reasons.map(\.description).joined(separator: ", ")
        }
        return row
    }
}
