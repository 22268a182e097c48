// SPDX-License-Identifier: Apache-2.0

/// Bytes as lower-case hexadecimal digits, two each.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes {
        digits.append(digit(byte >> 4))
        digits.append(digit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
}

private func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

/// A number as lower-case hexadecimal digits, as many as its type has.
public func hexadecimal(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
    hexadecimal(bytes(of: number))
}

/// The bytes of a number, the highest first.
private func bytes<Number: FixedWidthInteger & UnsignedInteger>(of number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// The 32 bytes of a SHA-256 as numbers: half the room of their digits, and nothing on the heap.
///
/// A daemon holds every key and digest of every record that it has ever read.
struct SHA256Value: Hashable, Sendable, Comparable {
    private let first, second, third, fourth: UInt64

    /// Reads 64 lower-case hexadecimal digits; nil for anything else.
    init?(hex: String) {
        var digits = DigitReader(hex)
        guard let first: UInt64 = digits.next(), let second: UInt64 = digits.next(), let third: UInt64 = digits.next(),
            let fourth: UInt64 = digits.next(), digits.isAtEnd
        else { return nil }
        (self.first, self.second, self.third, self.fourth) = (first, second, third, fourth)
    }

    /// Takes 32 bytes; shorter input is padded with zero bytes, longer input is cut.
    init(bytes: [UInt8]) {
        func word(_ index: Int) -> UInt64 {
            (8 * index..<8 * index + 8).reduce(0) { $0 << 8 | UInt64($1 < bytes.count ? bytes[$1] : 0) }
        }
        (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
    }

    /// The digits.
    var hex: String { hexadecimal([first, second, third, fourth].flatMap(bytes(of:))) }

    /// Orders as the digits do.
    static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second, left.third, left.fourth) < (right.first, right.second, right.third, right.fourth)
    }
}

/// The 20 bytes of a SHA-1 as numbers, for the same reason.
struct SHA1Value: Hashable, Sendable, Comparable {
    private let first, second: UInt64
    private let third: UInt32

    /// Reads 40 lower-case hexadecimal digits; nil for anything else.
    init?(hex: String) {
        var digits = DigitReader(hex)
        guard let first: UInt64 = digits.next(), let second: UInt64 = digits.next(), let third: UInt32 = digits.next(),
            digits.isAtEnd
        else { return nil }
        (self.first, self.second, self.third) = (first, second, third)
    }

    /// The digits.
    var hex: String { hexadecimal(bytes(of: first) + bytes(of: second) + bytes(of: third)) }

    /// Orders as the digits do.
    static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second, left.third) < (right.first, right.second, right.third)
    }
}

/// Reads numbers out of a text of lower-case hexadecimal digits.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next number, of as many digits as its type has; nil where there are not so many.
    mutating func next<Number: FixedWidthInteger & UnsignedInteger>() -> Number? {
        var number: Number = 0
        for _ in 0..<Number.bitWidth / 4 {
            guard let digit = rest.popFirst() else { return nil }
            switch digit {
            case 0x30...0x39: number = number << 4 | Number(digit - 0x30)
            case 0x61...0x66: number = number << 4 | Number(digit - 0x57)
            default: return nil
            }
        }
        return number
    }
}
