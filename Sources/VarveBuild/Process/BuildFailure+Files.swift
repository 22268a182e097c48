// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

extension BuildFailure {
    /// A file of varve's own that could not be read or written.
    static func ofFile(_ error: any Error, verb: String, path: String, layer: LayerKind? = nil) -> BuildFailure {
        if let failure = error as? BuildFailure { return failure }
        let full = (error as? CocoaError)?.code == .fileWriteOutOfSpace
        let cause = full ? "no space left on device" : "\(error)"
        return BuildFailure(
            full ? .diskFull : .environment, layer: layer, message: "failed to \(verb) '\(path)': \(cause)")
    }
}
