// SPDX-License-Identifier: Apache-2.0

import Crypto
public import VarveModel

extension VarveModel.Digest {
    /// The SHA-256 of some bytes.
    public init(sha256 data: [UInt8]) {
        self.init(bytes: Array(SHA256.hash(data: data)))
    }
}

extension Script {
    /// The script's SHA-256.
    public var digest: VarveModel.Digest { VarveModel.Digest(sha256: bytes) }
}
