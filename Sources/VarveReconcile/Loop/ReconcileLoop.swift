// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// How a loop paces its passes.
public struct LoopSettings: Sendable {
    /// How long it rests after a pass in which nothing was rung.
    public var interval: Duration
    /// How often it looks bases up in their registries and checks that what is published is still there.
    public var baseInterval: Duration
    /// When images that failed are tried again; passes that failed as a whole wait by it too.
    public var retry: RetryPolicy

    /// Settings; by default passes a minute apart, and bases looked up every quarter of an hour.
    public init(
        interval: Duration = .seconds(60), baseInterval: Duration = .seconds(900), retry: RetryPolicy = RetryPolicy()
    ) {
        self.interval = interval
        self.baseInterval = baseInterval
        self.retry = retry
    }

    /// A time up to a tenth shorter, so that daemons that were started together do not stay together.
    func spread(_ duration: Duration) -> Duration { duration - (duration / 10) * min(max(retry.jitter(), 0), 1) }
}

/// Keeps a registry equal to one repository for as long as it runs.
///
/// Level-triggered: every pass reads the repository and its records anew, whatever it was that set it off. What is rung
/// while a pass runs sets off one more after it.
public struct ReconcileLoop: Sendable {
    private let reconciler: Reconciler
    private let settings: LoopSettings
    private let bell: Bell
    private let control: LoopControl
    private let events: @Sendable (PassEvent) -> Void

    /// A loop over a reconciler; `bell` sets a pass off before its time, and `control` has it do what people ask for.
    public init(
        _ reconciler: Reconciler, settings: LoopSettings, bell: Bell, control: LoopControl,
        events: @escaping @Sendable (PassEvent) -> Void
    ) {
        self.reconciler = reconciler
        self.settings = settings
        self.bell = bell
        self.control = control
        self.events = events
    }

    /// Runs passes until the task is cancelled, or the control has it end.
    ///
    /// A pass that fails as a whole, because the repository or the state directory cannot be read, is told as a warning and
    /// tried again after a growing wait, at the latest after the interval.
    public func run() async {
        let clock = ContinuousClock()
        let lookups = LookupSchedule { [settings] in settings.spread(settings.baseInterval) }
        let following = Following(
            bell: bell, control: control, retries: RetryLedger(settings.retry), interval: settings.interval,
            lookups: lookups)
        var failures = 0
        while !Task.isCancelled, !control.isDraining {
            let requests = control.takeRequests()
            await following.retries.release(requests.interactive)
            let began = clock.now
            let looksOutside = requests.looksOutside || lookups.isDue(began)
            var last = LoopSnapshot.LastPass(end: control.now(), seconds: 0, commit: nil, error: nil, unsent: 0)
            var rest = settings.spread(settings.interval)
            do {
                let result = try await reconciler.reconcile(
                    requests: requests, looksOutside: looksOutside, following: following)
                failures = 0
                last.commit = result.commit
                last.unsent = result.unsent
                if looksOutside {
                    lookups.done(began)
                    control.noteLookup()
                }
                rest = min(rest, max(lookups.next - clock.now, .milliseconds(100)))
                // What came due while the pass ran was not tried in it.
                if let due = await following.retries.nextDue(after: began) {
                    rest = min(rest, max(due - clock.now, .milliseconds(100)))
                }
            } catch {
                if Task.isCancelled { break }
                failures += 1
                last.error = redacted("\(error)")
                rest = min(rest, settings.retry.wait(after: failures))
                control.putBack(requests)
                events(.warning("the pass failed and is tried again: \(redacted("\(error)"))"))
            }
            last.end = control.now()
            last.seconds = (clock.now - began) / .seconds(1)
            FreeMemory.giveBack()
            control.setLastPass(last)
            if control.isDraining { break }
            await bell.wait(atMost: rest)
        }
    }
}
