// SPDX-License-Identifier: Apache-2.0

/// One reader of a log.
final class LogTail: Sendable {
    private let log: SharedLog
    private let onEnd: @Sendable () -> Void

    init(_ log: SharedLog, onEnd: @escaping @Sendable () -> Void) {
        self.log = log
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    /// The log as server-sent events: one a line, each with the place after it as id, and `end` when it is over.
    ///
    /// - Parameter start: the place to begin at: that of the last event that a client had.
    func events(from start: Int) -> LogEvents {
        LogEvents(log: log, reader: self, offset: min(max(start, 0), log.file.size))
    }
}

/// The events of one reader (HTML, section 9.2, server-sent events).
struct LogEvents {
    private enum Stage {
        case beginning
        case lines
        case over
    }

    private let log: SharedLog
    private let reader: LogTail
    private var offset: Int
    private var stage = Stage.beginning
    /// Whether the last event was the end of the log, and not the end of the daemon.
    private(set) var isComplete = false

    fileprivate init(log: SharedLog, reader: LogTail, offset: Int) {
        self.log = log
        self.reader = reader
        self.offset = offset
    }

    /// The next events; waits for them, and gives a comment when none have come for a while.
    ///
    /// - Returns: nil after the end, and when the log is watched no longer.
    mutating func next() async -> String? {
        switch stage {
        case .beginning:
            stage = .lines
            // A client knows by it that it is connected although nothing has been written yet.
            return ": varve log\n\n"
        case .lines: return await lines()
        case .over: return nil
        }
    }

    private mutating func lines() async -> String? {
        while !Task.isCancelled {
            let progress = await log.progress(after: offset)
            if Task.isCancelled || progress.isCut { break }
            guard progress.size > offset else {
                guard progress.isOver else { return ":\n\n" }
                stage = .over
                isComplete = true
                return "event: end\nid: \(offset)\ndata: {}\n\n"
            }
            let bytes = log.file.read(at: offset, upTo: min(65_536, progress.size - offset))
            let isLast = progress.isOver && offset + bytes.count >= progress.size
            let (text, length) = Self.text(of: bytes[...], at: offset, isLast: isLast)
            if length > 0 {
                offset += length
                return text
            }
            // Half a line, whose other half is being written; or a file that became shorter, which ends it.
            if bytes.isEmpty { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        stage = .over
        return nil
    }

    /// The events of the whole lines in some bytes, and how many bytes these are.
    ///
    /// Bytes without a line end count as a line where no more can come, or too many have come.
    static func text(of bytes: ArraySlice<UInt8>, at offset: Int, isLast: Bool) -> (text: String, length: Int) {
        var rest = bytes
        var text = ""
        func add(_ line: ArraySlice<UInt8>) {
            let data = String(decoding: line.filter { $0 != 0x0d }, as: UTF8.self)
            text += "id: \(offset + rest.startIndex - bytes.startIndex)\ndata: \(data)\n\n"
        }
        while let end = rest.firstIndex(of: 0x0a) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            add(line)
        }
        if !rest.isEmpty, isLast || rest.count >= 32_768 {
            let line = rest
            rest = rest[rest.endIndex...]
            add(line)
        }
        return (text, rest.startIndex - bytes.startIndex)
    }
}
