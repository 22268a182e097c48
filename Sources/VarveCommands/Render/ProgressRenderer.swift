// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import VarveModel
import VarveReconcile

/// Shows a pass as it runs.
///
/// On a terminal: one line for each running layer, with the elapsed time and the last line of its log, redrawn in place
/// below the lines of what is finished. In a pipe: one plain line an event, without the steps' output.
final class ProgressRenderer: Sendable {
    private struct Running {
        var title: String
        var began: ContinuousClock.Instant
        var lastLine = ""
    }

    private struct State {
        var running: [ImageName: Running] = [:]
        var order: [ImageName] = []
        var drawn = 0
        var reasons: [ImageName: [RebuildReason]] = [:]
        var logs: [ImageName: String] = [:]
        /// The files of the commit, where carets can be shown.
        var tree: (any SourceTree)?
    }

    private let isTerminal: Bool
    private let state = Mutex(State())
    private let clock = ContinuousClock()

    /// The files of a commit.
    private let tree: @Sendable (ObjectID) -> (any SourceTree)?

    init(isTerminal: Bool, tree: @escaping @Sendable (ObjectID) -> (any SourceTree)?) {
        self.isTerminal = isTerminal
        self.tree = tree
    }

    /// Takes an event.
    func show(_ event: PassEvent) {
        state.withLock { state in
            let lines = self.lines(for: event, state: &state)
            if isTerminal {
                erase(&state)
                for line in lines { Output.line(line) }
                draw(&state)
            } else {
                for line in lines { Output.line(line) }
            }
        }
    }

    /// The lines for an event, for whoever writes them somewhere else than on a terminal.
    func text(_ event: PassEvent) -> [String] { state.withLock { lines(for: event, state: &$0) } }

    /// Redraws elapsed times; called a few times a second on a terminal.
    func tick() {
        guard isTerminal else { return }
        state.withLock { state in
            erase(&state)
            draw(&state)
        }
    }

    private func erase(_ state: inout State) {
        guard state.drawn > 0 else { return }
        Output.write("\u{1b}[\(state.drawn)A\u{1b}[J", to: STDOUT_FILENO)
        state.drawn = 0
    }

    private func draw(_ state: inout State) {
        let columns = Output.columns
        for name in state.order {
            guard let running = state.running[name] else { continue }
            let seconds = running.began.duration(to: clock.now).components.seconds
            let text = "  \(running.title)  \(seconds)s  \(running.lastLine)"
            Output.line(String(text.prefix(columns - 1)))
            state.drawn += 1
        }
    }

    private func lines(for event: PassEvent, state: inout State) -> [String] {
        switch event {
        case .began: return []
        case .asked(let request):
            let (subject, layer) = (
                request.image?.value ?? "all images", request.layer.map { " from \($0.rawValue)" } ?? ""
            )
            return ["\(subject): \(request.action.rawValue)\(layer) asked for by \(request.user)"]
        case .planned(let commit, let images, let toBuild):
            state.tree = tree(commit)
            return ["commit \(commit.short): \(images) image\(images == 1 ? "" : "s"), \(toBuild) to build now"]
        case .imageStarted(let image, let reasons, let log):
            state.logs[image] = log
            return ["\(image): building because \(reasons.map(\.description).joined(separator: ", "))"]
        case .layerStarted(let image, let kind, _):
            start("\(image): \(kind.rawValue)", image, &state)
            return isTerminal ? [] : ["\(image): \(kind.rawValue) started"]
        case .output(let image, _, let line):
            state.running[image]?.lastLine = line
            return []
        case .layerFinished(let image, let record):
            stop(image, &state)
            let took = record.action == .reused ? "" : " in \(seconds(record.seconds))"
            return ["\(image): \(record.kind.rawValue) \(record.action.rawValue)\(took)"]
        case .verifyStarted(let image):
            start("\(image): verify", image, &state)
            return isTerminal ? [] : ["\(image): verify started"]
        case .publishStarted(let image):
            start("\(image): publish", image, &state)
            return isTerminal ? [] : ["\(image): publish started"]
        case .imageFinished(let record):
            stop(record.image, &state)
            return finished(record, log: state.logs[record.image])
        case .imageSkipped(let name, let status, let cause): return ["\(name): \(status.rawValue): \(cause)"]
        case .invalid(let definition): return DiagnosticText.lines(definition, in: state.tree)
        case .warning(let text): return ["warning: \(text)"]
        case .finished(let result):
            state.running = [:]
            return [summary(result)]
        }
    }

    private func finished(_ record: BuildRecord, log: String?) -> [String] {
        switch record.status {
        case .built: return ["\(record.image): built in \(seconds(record.seconds)): \(record.reference ?? "")"]
        case .error:
            guard let error = record.error else { return ["\(record.image): error"] }
            let place = error.layer.map { " \($0.rawValue):" } ?? ""
            let tail = error.tail.split(separator: "\n").suffix(10).map { "    " + singleLine($0) }
            return ["\(record.image): error:\(place) \(error.message)"] + tail + (log.map { ["    log: \($0)"] } ?? [])
        case .invalid: return []
        default: return ["\(record.image): \(record.status.rawValue)"]
        }
    }

    private func summary(_ result: PassResult) -> String {
        guard result.commit != nil else { return "nothing to do: the repository has no commit" }
        var parts: [String] = []
        for (word, count) in [
            ("built", result.built.count), ("failed", result.failed.count), ("blocked", result.blocked.count),
            ("invalid", result.invalid.count), ("unchanged", result.unchanged), ("records not sent", result.unsent),
        ] where count > 0 {
            parts.append("\(count) \(word)")
        }
        if result.isCancelled { parts.append("stopped before the end") }
        return parts.isEmpty ? "nothing to do" : parts.joined(separator: ", ")
    }

    private func start(_ title: String, _ image: ImageName, _ state: inout State) {
        if state.running[image] == nil { state.order.append(image) }
        state.running[image] = Running(title: title, began: clock.now)
    }

    private func stop(_ image: ImageName, _ state: inout State) {
        state.running[image] = nil
        state.order.removeAll { $0 == image }
    }

    private func seconds(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)s"
    }
}
