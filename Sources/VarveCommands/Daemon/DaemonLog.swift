// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveModel
import VarveReconcile

/// Tells what a loop does: in text, only what has changed since it was last said.
///
/// A loop passes every minute for months; a broken definition is worth one line, not one a minute.
final class DaemonLog: Sendable {
    private let format: OutputFormat
    private let repository: String?
    private let renderer: ProgressRenderer
    private let said = Mutex<[String: String]>([:])

    /// A log; `repository` stands before each line where there are several.
    ///
    /// - Parameter tree: The files of a commit, for the lines under which carets stand.
    init(
        format: OutputFormat, repository: String?, tree: @escaping @Sendable (ObjectID) -> (any SourceTree)?
    ) {
        renderer = ProgressRenderer(isTerminal: false, tree: tree)
        self.format = format
        self.repository = repository
    }

    /// Takes an event.
    func show(_ event: PassEvent) {
        switch format {
        case .json:
            var object = EventJSON(event)
            object.repository = repository
            if let text = try? Output.jsonText(object, pretty: false) { Output.line(text) }
        case .text:
            let lines = renderer.text(event)
            guard !lines.isEmpty, isNews(lines, of: event) else { return }
            for line in lines { Output.line(repository.map { "\($0): \(line)" } ?? line) }
        }
    }

    private func isNews(_ lines: [String], of event: PassEvent) -> Bool {
        let subject: String
        switch event {
        case .imageSkipped(let name, _, _): subject = "image \(name)"
        case .invalid(let definition): subject = "definition \(definition.folder)"
        case .warning: subject = "warning"
        case .planned: subject = "plan"
        case .finished: subject = "end"
        case .imageFinished(let record):
            said.withLock { $0["image \(record.image)"] = nil }
            return true
        default: return true
        }
        let text = lines.joined(separator: "\n")
        return said.withLock { said in
            defer { said[subject] = text }
            return said[subject] != text
        }
    }
}
