// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage
import VarveModel

extension BuildFailure {
    /// The same failure, told of a step: it names the layer, and what ran too long is the step and not a tool.
    func ofStep(_ verb: String, _ layer: LayerKind?, timeout: Duration) -> BuildFailure {
        var result = self
        result.layer = layer
        switch failureClass {
        case .timedOut:
            result.message = "failed to \(verb): it ran longer than \(timeout.components.seconds)s"
        case .cancelled: result.message = "failed to \(verb): cancelled"
        default: break
        }
        return result
    }

    /// A file of varve's own that could not be read or written.
    static func ofFile(_ error: any Error, verb: String, path: String, layer: LayerKind? = nil) -> BuildFailure {
        if let failure = error as? BuildFailure { return failure }
        let number = error as? Errno
        let full =
            (error as? CocoaError)?.code == .fileWriteOutOfSpace || number == .noSpace || number == .diskQuotaExceeded
        let cause = full ? "no space left on device" : "\(error)"
        return BuildFailure(
            full ? .diskFull : .environment, layer: layer, message: "failed to \(verb) '\(path)': \(cause)")
    }
}
