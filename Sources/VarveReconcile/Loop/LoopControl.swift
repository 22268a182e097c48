// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel

/// What one repository's loop can be asked for while it runs, and what it tells of itself: all that a server knows of it.
///
/// A request is remembered until the loop takes it, and is a hint to look: the loop reads the repository anew.
public final class LoopControl: Sendable {
    /// What was asked for since the loop last looked.
    struct Requests: Sendable {
        var rebuilds: [ImageName: Rebuild] = [:]
        var interactive: Set<ImageName> = []
        /// What is to leave the queue, and who asked for that.
        var stopped: [ImageName: String] = [:]
        var looksOutside = false

        var isEmpty: Bool { rebuilds.isEmpty && interactive.isEmpty && stopped.isEmpty && !looksOutside }
    }

    private struct State {
        var snapshot = LoopSnapshot()
        var requests = Requests()
        var asked: AskedRebuilds
        var stops: [ImageName: @Sendable () -> Void] = [:]
        var stoppers: [ImageName: String] = [:]
        var isDraining = false
        var isWorking = false

        /// Forgets a rebuild, unless it was asked for anew.
        mutating func forget(_ image: ImageName) {
            guard requests.rebuilds[image] == nil else { return }
            // Where the disk is full it stands, and is done once more after a restart.
            try? asked.set(image, nil)
        }
    }

    private let bell: Bell
    private let path: String
    let now: @Sendable () -> Timestamp
    private let onPass: @Sendable (LoopSnapshot.LastPass) -> Void
    private let state: Mutex<State>

    /// A control over the loop that waits for `bell`; images that were suspended before stay so, and what was asked for
    /// before is still asked for.
    ///
    /// - Parameter onPass: told of each pass that has ended.
    /// - Throws: `ReconcileError.stateDirectory` when what was kept of that is damaged.
    public init(
        _ directory: StateDirectory, bell: Bell, now: @escaping @Sendable () -> Timestamp,
        onPass: @escaping @Sendable (LoopSnapshot.LastPass) -> Void = { _ in }
    ) throws(ReconcileError) {
        self.bell = bell
        self.now = now
        self.onPass = onPass
        path = directory.suspended
        var state = State(asked: try AskedRebuilds(directory))
        state.snapshot.suspended = try directory.suspendedImages()
        state.requests.rebuilds = state.asked.rebuilds
        state.requests.interactive = Set(state.asked.rebuilds.keys)
        self.state = Mutex(state)
    }

    /// What the loop is doing.
    public var snapshot: LoopSnapshot { state.withLock { $0.snapshot } }

    /// Whether a pass has read and planned everything and has not ended yet.
    public var isWorking: Bool { state.withLock { $0.isWorking } }

    // MARK: Asking

    /// Has everything looked at anew, soon.
    ///
    /// - Parameters:
    ///   - images: images that somebody waits for: they go before others; may be empty.
    ///   - looksOutside: whether bases are looked up too, before their interval is over.
    public func reconcile(_ images: [ImageName] = [], looksOutside: Bool = false) {
        state.withLock { state in
            state.requests.interactive.formUnion(images)
            if looksOutside { state.requests.looksOutside = true }
        }
        bell.ring()
    }

    /// Has an image built although it is as defined; a restart does not forget it.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when this cannot be kept; then nothing is asked for.
    public func rebuild(_ image: ImageName, _ rebuild: Rebuild) throws {
        try state.withLock { state in
            try state.asked.set(image, rebuild)
            state.requests.rebuilds[image] = rebuild
            state.requests.interactive.insert(image)
        }
        bell.ring()
    }

    /// Ends the image's running build, or takes it out of the queue; it is built when an input changes or somebody asks.
    ///
    /// - Parameter user: who asks for it; the record of a build that was running names them.
    /// - Returns: Whether it was being built, or waited to be.
    @discardableResult
    public func stop(_ image: ImageName, by user: String) -> Bool {
        let (stop, isQueued) = state.withLock { state in
            let isQueued = state.snapshot.queued.contains { $0.image == image }
            if isQueued { state.requests.stopped[image] = user }
            if state.stops[image] != nil { state.stoppers[image] = user }
            if isQueued || state.stops[image] != nil {
                // What was asked for before is meant too.
                state.requests.rebuilds[image] = nil
                state.requests.interactive.remove(image)
                state.forget(image)
            }
            return (state.stops[image], isQueued)
        }
        stop?()
        if isQueued { bell.ring() }
        return stop != nil || isQueued
    }

    /// Has the loop begin nothing more, and end when the layers that are being built are done.
    public func drain() {
        state.withLock { $0.isDraining = true }
        bell.ring()
    }

    /// Whether nothing more is to be begun.
    public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Leaves an image alone until it is resumed, whatever its definition says; survives a restart.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when this cannot be kept.
    public func suspend(_ image: ImageName) throws { try setSuspended(image, true) }

    /// Ends what `suspend` began.
    ///
    /// - Throws: `ReconcileError.stateDirectory` when this cannot be kept.
    public func resume(_ image: ImageName) throws { try setSuspended(image, false) }

    private func setSuspended(_ image: ImageName, _ isSuspended: Bool) throws {
        try state.withLock { state in
            let names = Set(state.snapshot.suspended)
            let sorted = (isSuspended ? names.union([image]) : names.subtracting([image])).sorted()
            try StateFile.replace(path, withJSON: sorted)
            state.snapshot.suspended = sorted
        }
        bell.ring()
    }

    // MARK: What the loop does with it

    /// What was asked for since the last time; it is the loop's from now on.
    func takeRequests() -> Requests {
        state.withLock { state in
            var taken = state.requests
            // What is asked for while a stopped build still ends is for when it has.
            let later = taken.rebuilds.filter { state.stoppers[$0.key] != nil }
            for image in later.keys { taken.rebuilds[image] = nil }
            taken.interactive.subtract(later.keys)
            state.requests = Requests(rebuilds: later, interactive: Set(later.keys))
            return taken
        }
    }

    /// Puts back what could not be done yet.
    func putBack(_ requests: Requests) {
        state.withLock { state in
            // Whoever has stopped an image since meant this too, and what is done is not asked for any more.
            let (stopped, asked) = (state.requests.stopped, state.asked.rebuilds)
            state.requests.rebuilds.merge(requests.rebuilds.filter { asked[$0.key] == $0.value }) { newer, _ in newer }
            state.requests.interactive.formUnion(requests.interactive.filter { stopped[$0] == nil })
            state.requests.stopped.merge(requests.stopped) { newer, _ in newer }
            if requests.looksOutside { state.requests.looksOutside = true }
        }
    }

    /// Puts back what people asked to have rebuilt and is not.
    func putBack(_ rebuilds: [ImageName: Rebuild]) {
        guard !rebuilds.isEmpty else { return }
        putBack(Requests(rebuilds: rebuilds, interactive: Set(rebuilds.keys)))
    }

    /// Takes that a rebuild was carried out, or cannot be: no later start asks for it.
    func settle(_ image: ImageName) { state.withLock { $0.forget(image) } }

    /// Takes what waits for a builder.
    func setQueue(_ queue: [LoopSnapshot.Queued]) { state.withLock { $0.snapshot.queued = queue } }

    /// Takes how a running build can be ended; nil when it is over.
    func setStop(_ image: ImageName, _ stop: (@Sendable () -> Void)?) {
        let (isStopped, isAsked) = state.withLock { state in
            state.stops[image] = stop
            state.stoppers[image] = stop == nil ? nil : state.requests.stopped.removeValue(forKey: image)
            return (state.stoppers[image] != nil, stop == nil && state.requests.rebuilds[image] != nil)
        }
        // Its turn came after it was stopped.
        if isStopped { stop?() }
        if isAsked { bell.ring() }
    }

    /// Who had the image's running build ended; nil where nobody has.
    func stopper(of image: ImageName) -> String? { state.withLock { $0.stoppers[image] } }

    /// Takes how a pass ended.
    func setLastPass(_ pass: LoopSnapshot.LastPass) {
        state.withLock { state in
            state.snapshot.lastPass = pass
            state.isWorking = false
        }
        onPass(pass)
    }

    /// Takes that bases were looked up now.
    func noteLookup() {
        let moment = now()
        state.withLock { $0.snapshot.lastLookup = moment }
    }

    /// Takes an event of the pass.
    public func note(_ event: PassEvent) {
        let moment = now()
        state.withLock { state in
            switch event {
            case .planned: state.isWorking = true
            case .imageStarted(let image, _, let log):
                state.snapshot.running.removeAll { $0.image == image }
                state.snapshot.running.append(.init(image: image, step: "base", start: moment, log: log))
                state.snapshot.running.sort { $0.image < $1.image }
            case .layerStarted(let image, let kind, _): state.snapshot.set(kind.rawValue, of: image)
            case .verifyStarted(let image): state.snapshot.set("verify", of: image)
            case .publishStarted(let image): state.snapshot.set("publish", of: image)
            case .imageFinished(let record): state.snapshot.running.removeAll { $0.image == record.image }
            case .imageSkipped(let name, _, _): state.snapshot.running.removeAll { $0.image.value == name }
            case .finished: state.snapshot.running = []
            default: return
            }
        }
    }
}

extension LoopSnapshot {
    /// Notes what a running image is at.
    fileprivate mutating func set(_ step: String, of image: ImageName) {
        guard let index = running.firstIndex(where: { $0.image == image }) else { return }
        running[index].step = step
    }
}
