// SPDX-License-Identifier: Apache-2.0

import Crypto
import VarveModel

/// Writes the bytes that a layer key is the SHA-256 of.
///
/// The encoding is length-prefixed, so that no two different contents share their bytes: a number is four bytes, big
/// endian; a text is the number of its UTF-8 bytes and the bytes; a list is the number of its elements and the elements;
/// an optional value is the byte 0, or the byte 1 and the value. `LayerKeys.md` in the catalogue of this module
/// documents the order of the fields; golden vectors in the tests pin it.
struct KeyEncoder {
    /// The version of this encoding, the first byte of every key's input.
    static let version: UInt8 = 2

    private(set) var bytes: [UInt8] = []

    mutating func append(byte: UInt8) { bytes.append(byte) }

    mutating func append(count: Int) {
        let number = UInt32(truncatingIfNeeded: count)
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func append(_ data: [UInt8]) {
        append(count: data.count)
        bytes.append(contentsOf: data)
    }

    mutating func append(_ text: String) {
        append(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ text: String?) {
        append(optional: text) { encoder, value in encoder.append(value) }
    }

    mutating func append<Value>(optional value: Value?, _ encode: (inout KeyEncoder, Value) -> Void) {
        guard let value else { return append(byte: 0) }
        append(byte: 1)
        encode(&self, value)
    }

    mutating func append(_ list: [String]) {
        append(count: list.count)
        for element in list { append(element) }
    }

    /// Pairs in the byte order of their names.
    mutating func append(_ map: [String: String]) {
        append(count: map.count)
        for (name, value) in map.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            append(name)
            append(value)
        }
    }
}
