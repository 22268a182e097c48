// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveReconcile
import VarveServer

/// One event of `varve reconcile --format json`: an object a line, absent parts left out.
struct EventJSON: Encodable {
    var event: String
    /// Named where one process works on several.
    var repository: String?
    var image: String?
    var layer: LayerKind?
    var key: LayerKey?
    var action: LayerRecord.Action?
    var platform: Platform?
    var seconds: Double?
    var status: ImageStatus?
    var reasons: [RebuildReason]?
    var reference: String?
    var message: String?
    var log: String?
    var line: String?
    var commit: ObjectID?
    var images: Int?
    var toBuild: Int?
    var built: [ImageName]?
    var failed: [ImageName]?
    var blocked: [ImageName]?
    var invalid: [String]?
    var unchanged: Int?
    var unsent: Int?
    var cancelled: Bool?
    var leader: String?
    var user: String?
    var request: Request.Action?
    var errors: [DiagnosticJSON]?

    init(_ event: PassEvent) {
        switch event {
        case .began: self.event = "pass-started"
        case .asked(let request):
            self.event = "asked"
            self.request = request.action
            user = request.user
            image = request.image?.value
            layer = request.layer
        case .planned(let commit, let images, let toBuild):
            self.event = "pass-planned"
            self.commit = commit
            self.images = images
            self.toBuild = toBuild
        case .imageStarted(let image, let reasons, let log):
            self.event = "image-started"
            self.image = image.value
            self.reasons = reasons
            self.log = log
        case .layerStarted(let image, let layer, let key):
            self.event = "layer-started"
            self.image = image.value
            self.layer = layer
            self.key = key
        case .output(let image, let layer, let line):
            self.event = "output"
            self.image = image.value
            self.layer = layer
            self.line = line
        case .layerFinished(let image, let record):
            self.event = "layer-finished"
            self.image = image.value
            layer = record.kind
            key = record.key
            action = record.action
            platform = record.platform
            seconds = record.seconds
        case .verifyStarted(let image):
            self.event = "verify-started"
            self.image = image.value
        case .publishStarted(let image):
            self.event = "publish-started"
            self.image = image.value
        case .imageFinished(let record):
            self.event = "image-finished"
            image = record.image.value
            status = record.status
            seconds = record.seconds
            reference = record.reference
            message = record.error?.message
            layer = record.error?.layer
        case .imageSkipped(let name, let status, let cause):
            self.event = "image-skipped"
            image = name
            self.status = status
            message = cause
        case .invalid(let definition):
            self.event = "definition-invalid"
            image = definition.name
            status = .invalid
            errors = definition.diagnostics.map(DiagnosticJSON.init)
        case .warning(let text):
            self.event = "warning"
            message = text
        case .finished(let result):
            self.event = "pass-finished"
            commit = result.commit
            built = result.built
            failed = result.failed
            blocked = result.blocked
            invalid = result.invalid
            unchanged = result.unchanged
            unsent = result.unsent
            cancelled = result.isCancelled
            leader = result.leader
        }
    }
}
