// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The header `Retry-After` (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// The longest that anybody is taken at their word.
    static let limit = Duration.seconds(86_400)

    /// How long to wait, by seconds or by a date that is compared with `now`; nil where it is neither.
    static func wait(_ header: String, now: Timestamp) -> Duration? {
        if !header.isEmpty, header.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(Int(header).map { .seconds($0) } ?? limit, limit)
        }
        return date(header).map { min(max(.seconds($0.seconds - now.seconds), .zero), limit) }
    }

    /// A date as HTTP writes it today: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func date(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[5] == "GMT", let index = months.firstIndex(of: parts[2]) else { return nil }
        let month = index < 9 ? "0\(index + 1)" : "\(index + 1)"
        return try? Timestamp("\(parts[3])-\(month)-\(parts[1])T\(parts[4])Z")
    }
}
