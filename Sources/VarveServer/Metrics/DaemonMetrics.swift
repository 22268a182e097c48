// SPDX-License-Identifier: Apache-2.0

public import VarveDefinition
public import VarveModel
public import VarveReconcile

/// What a daemon counts and measures, for Prometheus.
///
/// Counters and histograms follow the events of passes; gauges are read from the loops when somebody asks. There is no
/// label for a build or an image: a fleet of a thousand images has as many series as one of ten.
public final class DaemonMetrics: Sendable {
    /// A loop whose state the gauges show.
    public struct Source: Sendable {
        /// The repository's address without credentials: the value of the label `repository`.
        public var repository: String
        /// What the loop is doing.
        public var snapshot: @Sendable () -> LoopSnapshot
        /// When the loop last looked bases up; nil where it has not.
        public var lastBaseLookup: @Sendable () -> Timestamp?
        /// How often writing the notes had to begin anew because somebody else had written first.
        public var pushRetries: @Sendable () -> Int

        /// A loop; what it does not tell is left out.
        public init(
            repository: String, snapshot: @escaping @Sendable () -> LoopSnapshot,
            lastBaseLookup: @escaping @Sendable () -> Timestamp? = { nil },
            pushRetries: @escaping @Sendable () -> Int = { 0 }
        ) {
            self.repository = repository
            self.snapshot = snapshot
            self.lastBaseLookup = lastBaseLookup
            self.pushRetries = pushRetries
        }
    }

    /// The media type of `text`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let registry: MetricRegistry
    private let now: @Sendable () -> Timestamp
    private let start: Timestamp

    /// Metrics with nothing in them.
    public init(now: @escaping @Sendable () -> Timestamp) {
        registry = MetricRegistry(Self.families)
        self.now = now
        start = now()
    }

    // MARK: Taking

    /// Takes an event of a pass over a repository.
    public func note(_ event: PassEvent, of repository: String) {
        switch event {
        case .layerFinished(_, let layer):
            registry.add(to: "varve_layers_total", [repository, layer.kind.rawValue, layer.action.rawValue])
            guard layer.action == .built else { return }
            registry.observe(layer.seconds, in: "varve_layer_seconds", [repository, layer.kind.rawValue])
        case .imageFinished(let record):
            registry.add(to: "varve_builds_total", [repository, record.status.rawValue])
            if let error = record.error, record.status == .error {
                registry.add(to: "varve_build_failures_total", [repository, error.failureClass.rawValue])
            }
            if record.status == .built { registry.observe(record.seconds, in: "varve_build_seconds", [repository]) }
        case .finished(let result):
            let states = [
                ("good", result.unchanged + result.built.count), ("failed", result.failed.count),
                ("blocked", result.blocked.count), ("invalid", result.invalid.count),
            ]
            for (state, count) in states {
                registry.set("varve_images", [repository, state], to: Double(count))
            }
        default: return
        }
    }

    /// Takes how a pass ended.
    public func note(_ pass: LoopSnapshot.LastPass, of repository: String) {
        registry.add(to: "varve_passes_total", [repository, pass.error == nil ? "completed" : "failed"])
        registry.observe(pass.seconds, in: "varve_pass_seconds", [repository])
    }

    /// Takes what became of a webhook's request.
    public func note(_ outcome: WebhookRoutes.Outcome, of kind: WebhookSettings.Kind) {
        registry.add(to: "varve_webhook_requests_total", [kind.rawValue, outcome.rawValue])
    }

    /// Takes what became of a notification.
    public func note(_ outcome: Notifier.Outcome, of kind: NotificationSettings.Kind) {
        registry.add(to: "varve_notifications_total", [kind.rawValue, outcome.rawValue])
    }

    // MARK: Telling

    /// Everything, as Prometheus reads it.
    public func text(_ sources: [Source]) -> String {
        let moment = now()
        registry.set("varve_start_time_seconds", to: Double(start.seconds))
        for source in sources {
            let snapshot = source.snapshot()
            for urgency in BuildClass.allCases {
                let queued = snapshot.queued.filter { $0.urgency == urgency }
                let labels = [source.repository, urgency.rawValue]
                registry.set("varve_queue_depth", labels, to: Double(queued.count))
                let oldest = queued.map(\.since).min().map { moment.seconds - $0.seconds } ?? 0
                registry.set("varve_queue_oldest_seconds", labels, to: Double(max(0, oldest)))
            }
            registry.set("varve_builds_running", [source.repository], to: Double(snapshot.running.count))
            registry.set("varve_images_suspended", [source.repository], to: Double(snapshot.suspended.count))
            registry.set("varve_notes_push_retries_total", [source.repository], to: Double(source.pushRetries()))
            if let pass = snapshot.lastPass {
                registry.set("varve_last_pass_seconds", [source.repository], to: pass.seconds)
                registry.set("varve_last_pass_end_time_seconds", [source.repository], to: Double(pass.end.seconds))
                registry.set("varve_last_pass_failed", [source.repository], to: pass.error == nil ? 0 : 1)
                registry.set("varve_notes_backlog", [source.repository], to: Double(pass.unsent))
            }
            if let lookup = source.lastBaseLookup() {
                let age = max(0, moment.seconds - lookup.seconds)
                registry.set("varve_base_staleness_seconds", [source.repository], to: Double(age))
            }
        }
        return registry.text
    }

    // MARK: What there is

    private static let minutes: [Double] = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]
    private static let seconds: [Double] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200]

    private static let families: [MetricRegistry.Family] = [
        family("varve_start_time_seconds", .gauge, "When the daemon started, in seconds since 1970.", []),
        family("varve_queue_depth", .gauge, "Images that wait for a builder.", ["repository", "class"]),
        family(
            "varve_queue_oldest_seconds", .gauge, "How long the oldest image of the class waits for a builder.",
            ["repository", "class"]),
        family("varve_builds_running", .gauge, "Images that are being built.", ["repository"]),
        family(
            "varve_layer_seconds", .histogram(minutes), "Time that an executed layer took.", ["repository", "kind"]),
        family(
            "varve_layers_total", .counter, "Layers by what was done: built, reused or failed.",
            ["repository", "kind", "action"]),
        family("varve_builds_total", .counter, "Images that were done with.", ["repository", "result"]),
        family("varve_build_failures_total", .counter, "Failed builds by class.", ["repository", "class"]),
        family("varve_build_seconds", .histogram(minutes), "Time that a good build took.", ["repository"]),
        family("varve_passes_total", .counter, "Passes over a repository.", ["repository", "result"]),
        family("varve_pass_seconds", .histogram(seconds), "Time that a pass took.", ["repository"]),
        family("varve_last_pass_seconds", .gauge, "Time that the last pass took.", ["repository"]),
        family(
            "varve_last_pass_end_time_seconds", .gauge, "When the last pass ended, in seconds since 1970.",
            ["repository"]),
        family(
            "varve_last_pass_failed", .gauge, "1 where the last pass could not be carried through.", ["repository"]),
        family("varve_images", .gauge, "Images by state after the last pass.", ["repository", "state"]),
        family("varve_images_suspended", .gauge, "Images that an operator has suspended.", ["repository"]),
        family(
            "varve_base_staleness_seconds", .gauge, "Time since bases were last looked up in their registries.",
            ["repository"]),
        family("varve_notes_backlog", .gauge, "Records that wait to be sent to the repository.", ["repository"]),
        family(
            "varve_notes_push_retries_total", .counter, "Pushes of notes that lost a race and began anew.",
            ["repository"]),
        family("varve_webhook_requests_total", .counter, "Requests to webhooks.", ["kind", "outcome"]),
        family("varve_notifications_total", .counter, "Notifications by what became of them.", ["kind", "outcome"]),
    ]

    private static func family(
        _ name: String, _ kind: MetricRegistry.Kind, _ help: String, _ labels: [String]
    ) -> MetricRegistry.Family {
        MetricRegistry.Family(name: name, kind: kind, help: help, labels: labels)
    }
}
