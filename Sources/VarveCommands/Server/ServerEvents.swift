// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads server-sent events (HTML, section 9.2) from the bytes of an answer as they come.
struct ServerEvents {
    /// One event.
    struct Event: Equatable {
        /// What `event:` says; `message` where it says nothing.
        var name = "message"
        /// The lines of `data:`.
        var data = ""
    }

    /// How long an event can be: a line of a log is cut before that.
    private static let limit = 1 << 20

    private var line: [UInt8] = []
    private var event = Event()
    private var hasData = false
    private var size = 0
    private var previous: UInt8 = 0

    /// The events that end in some bytes.
    ///
    /// - Throws: `CommandError` where one is too long.
    mutating func take(_ bytes: some Sequence<UInt8>) throws -> [Event] {
        var result: [Event] = []
        for byte in bytes {
            defer { previous = byte }
            switch byte {
            case 0x0A where previous == 0x0D: continue
            case 0x0A, 0x0D: if let event = endLine() { result.append(event) }
            default:
                line.append(byte)
                size += 1
                guard size <= Self.limit else { throw CommandError("the daemon sent an event that is too long") }
            }
        }
        return result
    }

    private mutating func endLine() -> Event? {
        let text = String(decoding: line, as: UTF8.self)
        line = []
        guard !text.isEmpty else {
            defer { (event, hasData, size) = (Event(), false, 0) }
            return hasData ? event : nil
        }
        let field = text.prefix { $0 != ":" }
        var value = text.dropFirst(field.count + 1)
        if value.hasPrefix(" ") { value = value.dropFirst() }
        switch field {
        case "event": event.name = String(value)
        case "data":
            event.data += (hasData ? "\n" : "") + value
            hasData = true
        // A comment, or a field that says nothing here, does not make the event longer.
        default: size -= text.utf8.count
        }
        return nil
    }
}
