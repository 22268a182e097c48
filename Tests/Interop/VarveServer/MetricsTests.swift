// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveDefinition
@testable import VarveReconcile
@testable import VarveServer

/// The metrics as Prometheus' own parser reads them.
@Suite(.timeLimit(.minutes(10)))
struct MetricsTests {
    /// Samples by name and labels.
    private func parsed(_ text: String) async throws -> [String: Double] {
        let script = """
            import json, sys
            from prometheus_client.parser import text_string_to_metric_families
            found = {}
            for family in text_string_to_metric_families(sys.stdin.read()):
                assert family.documentation, family.name
                assert family.type in ('counter', 'gauge', 'histogram'), family
                for sample in family.samples:
                    key = sample.name + json.dumps(sample.labels, sort_keys=True)
                    assert key not in found, key
                    found[key] = sample.value
            print(json.dumps(found))
            """
        let output = try await Command.run("python3", ["-c", script], input: text).stdout
        return try JSONValue(parsing: output).members.compactMapValues(\.double)
    }

    private static func layer(
        _ kind: LayerKind, _ action: LayerRecord.Action, _ seconds: Double = 0
    ) throws -> LayerRecord {
        LayerRecord(
            kind: kind, key: try LayerKey(hex: String(repeating: "a", count: 64)), action: action, seconds: seconds)
    }

    private static func record(_ status: ImageStatus, _ failure: BuildFailure.Class? = nil) throws -> BuildRecord {
        var record = BuildRecord(
            id: "1", image: try ImageName("ds"), commit: try ObjectID(hex: String(repeating: "a", count: 40)),
            trigger: "daemon", status: status, reasons: [], layers: [], start: Timestamp(seconds: 0), seconds: 3,
            engine: "e", host: "h")
        record.error = failure.map { FailureRecord(failureClass: $0, layer: nil, message: "no", tail: "") }
        return record
    }

    @Test
    func eventsAndStateOfLoopsAreReadAsTheyAre() async throws {
        let metrics = DaemonMetrics(now: { Timestamp(seconds: 1_000) })
        let image = try ImageName("ds")
        for seconds in [0.4, 0.6, 90, 9_000] {
            metrics.note(.layerFinished(image, try Self.layer(.pip, .built, seconds)), of: "r")
        }
        metrics.note(.layerFinished(image, try Self.layer(.apt, .reused)), of: "r")
        metrics.note(.layerFinished(image, try Self.layer(.pip, .failed, 5)), of: "r")
        metrics.note(.imageFinished(try Self.record(.built)), of: "r")
        metrics.note(.imageFinished(try Self.record(.error, .transient)), of: "r")
        var result = PassResult(commit: nil)
        result.unchanged = 7
        result.failed = [image]
        metrics.note(.finished(result), of: "r")
        let last = LoopSnapshot.LastPass(end: Timestamp(seconds: 990), seconds: 2, commit: nil, error: nil, unsent: 3)
        metrics.note(last, of: "r")
        metrics.note(.accepted, of: WebhookSettings.Kind.github)
        metrics.note(.sent, of: NotificationSettings.Kind.slack)
        var snapshot = LoopSnapshot()
        snapshot.lastPass = last
        snapshot.suspended = [image]
        let source = DaemonMetrics.Source(
            repository: "r", snapshot: { [snapshot] in snapshot }, lastBaseLookup: { Timestamp(seconds: 400) },
            pushRetries: { 4 })
        let found = try await parsed(metrics.text([source]))
        let repository = #"{"repository": "r"}"#
        func pip(_ bound: String) -> Double? {
            found["varve_layer_seconds_bucket" + #"{"kind": "pip", "le": "\#(bound)", "repository": "r"}"#]
        }
        #expect([pip("0.5"), pip("1"), pip("60"), pip("120"), pip("3600"), pip("+Inf")] == [1, 2, 2, 3, 3, 4])
        #expect(found[#"varve_layer_seconds_count{"kind": "pip", "repository": "r"}"#] == 4)
        #expect(found[#"varve_layer_seconds_sum{"kind": "pip", "repository": "r"}"#] == 9_091)
        func layers(_ action: String, _ kind: String) -> Double? {
            found["varve_layers_total" + #"{"action": "\#(action)", "kind": "\#(kind)", "repository": "r"}"#]
        }
        #expect(layers("built", "pip") == 4 && layers("reused", "apt") == 1 && layers("failed", "pip") == 1)
        #expect(found[#"varve_builds_total{"repository": "r", "result": "built"}"#] == 1)
        #expect(found[#"varve_builds_total{"repository": "r", "result": "error"}"#] == 1)
        #expect(found[#"varve_build_failures_total{"class": "transient", "repository": "r"}"#] == 1)
        #expect(found[#"varve_images{"repository": "r", "state": "good"}"#] == 7)
        #expect(found[#"varve_images{"repository": "r", "state": "failed"}"#] == 1)
        #expect(found["varve_pass_seconds_count" + repository] == 1)
        #expect(found["varve_last_pass_seconds" + repository] == 2)
        #expect(found["varve_notes_backlog" + repository] == 3)
        #expect(found["varve_notes_push_retries_total" + repository] == 4)
        #expect(found["varve_base_staleness_seconds" + repository] == 600)
        #expect(found["varve_images_suspended" + repository] == 1)
        for urgency in BuildClass.allCases {
            #expect(found["varve_queue_depth" + #"{"class": "\#(urgency.rawValue)", "repository": "r"}"#] == 0)
        }
        #expect(found[#"varve_webhook_requests_total{"kind": "github", "outcome": "accepted"}"#] == 1)
        #expect(found[#"varve_notifications_total{"kind": "slack", "outcome": "sent"}"#] == 1)
        #expect(found["varve_start_time_seconds{}"] == 1_000)
    }

    @Test(arguments: ["https://h/a\"b\\c\nd", "é{}=,\"", "\\", "\\n", ""])
    func labelsAreReadBackAsTheyWere(_ repository: String) async throws {
        let metrics = DaemonMetrics(now: { Timestamp(seconds: 0) })
        let source = DaemonMetrics.Source(repository: repository, snapshot: { LoopSnapshot() })
        let script = """
            import sys
            from prometheus_client.parser import text_string_to_metric_families
            values = {s.labels['repository'] for f in text_string_to_metric_families(sys.stdin.read())
                      for s in f.samples if 'repository' in s.labels}
            assert values == {sys.argv[1]}, values
            """
        try await Command.run("python3", ["-c", script, repository], input: metrics.text([source]))
    }

    @Test
    func seriesDoNotGrowWithTheFleet() throws {
        let metrics = DaemonMetrics(now: { Timestamp(seconds: 0) })
        func series(_ count: Int) throws -> Int {
            for index in 0..<count {
                let image = try ImageName("image-\(index)")
                var record = try Self.record(.built)
                record.image = image
                metrics.note(.layerFinished(image, try Self.layer(.pip, .built, 1)), of: "r")
                metrics.note(.imageFinished(record), of: "r")
            }
            return metrics.text([]).split(separator: "\n").count
        }
        let few = try series(2)
        let many = try series(1_000)
        #expect(many == few)
    }

    @Test
    func everyMetricIsDocumented() throws {
        let article = try String(contentsOfFile: "Sources/VarveCommands/VarveCommands.docc/Daemon.md", encoding: .utf8)
        let names = DaemonMetrics(now: { Timestamp(seconds: 0) }).text([]).split(separator: "\n")
            .filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
        #expect(names.count > 15)
        for name in names { #expect(article.contains("`\(name)`"), "\(name)") }
    }

    @Test
    func routeHasTheMediaTypeThatPrometheusAsksFor() async throws {
        let metrics = DaemonMetrics(now: { Timestamp(seconds: 0) })
        try await withServer(metrics: { metrics.text([]) }) { address in
            let head = try await Command.run(
                "python3",
                [
                    "-c", "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).headers['content-type'])",
                    address + "/metrics",
                ])
            #expect(head.trimmed == "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
