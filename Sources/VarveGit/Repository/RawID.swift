// SPDX-License-Identifier: Apache-2.0

import CGit2
import VarveModel

/// The twenty bytes of an object id, compared and hashed without a detour over text.
struct RawID: Hashable, Sendable, Comparable {
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32

    static let zero = RawID(git_oid())

    /// Takes twenty bytes; the caller has checked that there are so many.
    init(bytes: UnsafeRawBufferPointer) {
        high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        middle = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        low = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    }

    init(_ oid: git_oid) {
        self = withUnsafeBytes(of: oid) { RawID(bytes: $0) }
    }

    init(_ pointer: UnsafePointer<git_oid>) { self.init(pointer.pointee) }

    init(_ id: ObjectID) {
        var oid = git_oid()
        // An ObjectID holds 40 hexadecimal digits by construction, so this cannot fail.
        git_oid_fromstr(&oid, id.hex)
        self.init(oid)
    }

    var oid: git_oid {
        var oid = git_oid()
        withUnsafeMutableBytes(of: &oid) { buffer in
            buffer.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            buffer.storeBytes(of: middle.bigEndian, toByteOffset: 8, as: UInt64.self)
            buffer.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt32.self)
        }
        return oid
    }

    /// The bytes, first to last.
    var bytes: [UInt8] { withUnsafeBytes(of: oid) { Array($0) } }

    /// 40 lower-case hexadecimal digits.
    var hex: String { hexadecimal(bytes) }

    /// The id as the model has it.
    func objectID() throws(GitError) -> ObjectID {
        do {
            return try ObjectID(hex: hex)
        } catch {
            throw GitError(.corrupt, "read object id '\(hex)'", error.rule)
        }
    }

    static func < (left: RawID, right: RawID) -> Bool {
        (left.high, left.middle, left.low) < (right.high, right.middle, right.low)
    }
}

/// The lower-case hexadecimal digits of some bytes.
func hexDigits(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    Array(hexadecimal(bytes).utf8)
}

/// The bytes that an even number of lower- or upper-case hexadecimal digits stand for, else nil.
func bytes(hexDigits digits: some Collection<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        case 0x41...0x46: digit - 0x41 + 10
        default: nil
        }
    }
    var result: [UInt8] = []
    var high: UInt8?
    for digit in digits {
        guard let nibble = value(digit) else { return nil }
        if let first = high {
            result.append(first << 4 | nibble)
            high = nil
        } else {
            high = nibble
        }
    }
    return result
}
