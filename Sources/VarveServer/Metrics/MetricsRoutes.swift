// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
public import Hummingbird

/// `GET /metrics`, for Prometheus.
public struct MetricsRoutes: Sendable {
    private let metrics: DaemonMetrics
    private let sources: [DaemonMetrics.Source]

    /// The route over a daemon's metrics and its loops.
    public init(_ metrics: DaemonMetrics, sources: [DaemonMetrics.Source]) {
        self.metrics = metrics
        self.sources = sources
    }

    /// Adds the route; who may read it is the router's to say.
    public func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>) {
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: DaemonMetrics.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text(sources))))
        }
    }
}
