// SPDX-License-Identifier: Apache-2.0

import Crypto
import SystemPackage
import VarveModel

extension VarveModel.Digest {
    /// The digest of bytes.
    static func of(_ bytes: some Sequence<UInt8>) -> VarveModel.Digest {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        return VarveModel.Digest(bytes: Array(hash.finalize()))
    }

    /// The digest of a file's bytes, read in pieces.
    ///
    /// - Throws: `Errno` when the file cannot be read.
    static func ofFile(at path: FilePath) throws -> VarveModel.Digest {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var hash = SHA256()
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                guard count > 0 else { return VarveModel.Digest(bytes: Array(hash.finalize())) }
                buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
        }
    }
}
