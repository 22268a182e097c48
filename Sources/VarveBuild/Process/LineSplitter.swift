// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines of bounded length.
///
/// A line ends at LF, CR LF or CR (progress bars use it alone). What a line has beyond `limit` bytes is dropped and
/// replaced by `…`, so that no output can fill the memory. Bytes that are not UTF-8 become U+FFFD.
struct LineSplitter {
    private let limit: Int
    private var line: [UInt8] = []
    private var dropped = false
    private var previousWasReturn = false

    /// A splitter for lines of up to `limit` bytes.
    init(limit: Int = 16 << 10) { self.limit = limit }

    /// Takes bytes and gives the lines that they complete.
    mutating func append(_ bytes: some Sequence<UInt8>, to body: (String) -> Void) {
        for byte in bytes {
            switch byte {
            case 0x0a where previousWasReturn: previousWasReturn = false
            case 0x0a, 0x0d:
                previousWasReturn = byte == 0x0d
                flush(to: body)
            default:
                previousWasReturn = false
                if line.count < limit { line.append(byte) } else { dropped = true }
            }
        }
    }

    /// Gives the last line where it has no line end.
    mutating func finish(_ body: (String) -> Void) {
        if !line.isEmpty { flush(to: body) }
    }

    private mutating func flush(to body: (String) -> Void) {
        body(String(decoding: line, as: UTF8.self) + (dropped ? "…" : ""))
        line.removeAll(keepingCapacity: true)
        dropped = false
    }
}
