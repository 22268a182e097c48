// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import ServiceLifecycle
import VarveModel

/// Where and how the server listens.
public struct HTTPSettings: Sendable {
    /// The files of a certificate and its key, PEM.
    public struct TLSFiles: Sendable {
        /// The certificate, followed by those that signed it.
        public var certificate: String
        /// The private key.
        public var key: String

        /// Two files.
        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// What a client may take of time and room.
    public struct Limits: Sendable {
        /// The bytes of a request's body.
        public var body = 1 << 20
        /// How long a connection may be without a request.
        public var idle: Duration = .seconds(30)
        /// How long a request may take to arrive.
        public var request: Duration = .seconds(30)
        /// How long an answer may wait for its reader.
        public var write: Duration = .seconds(30)
        /// How many connections there may be; further ones wait.
        public var connections = 2_048
        /// How many logs may be followed at a time.
        public var streams = 1_500
        /// After how long a followed log that says nothing gets a sign of life.
        public var sign: Duration = .seconds(10)

        /// The limits of a daemon.
        public init() {}
    }

    /// The address.
    public var host: String
    /// The port; 0 takes a free one.
    public var port: Int
    /// The certificate; nil serves without TLS.
    public var tls: TLSFiles?
    /// Who may ask.
    public var tokens: TokenTable
    /// Whether `/metrics` answers without a token.
    public var areMetricsOpen: Bool
    /// How often the files of the certificate are read again.
    public var renewal: Duration = .seconds(60)
    /// What a client may take of time and room.
    public var limits = Limits()

    /// Settings.
    public init(host: String, port: Int, tls: TLSFiles?, tokens: TokenTable, areMetricsOpen: Bool) {
        self.host = host
        self.port = port
        self.tls = tls
        self.tokens = tokens
        self.areMetricsOpen = areMetricsOpen
    }
}

/// A server that cannot be started.
public struct HTTPServiceError: Error, CustomStringConvertible, Sendable {
    /// What could not be done, and why.
    public let description: String
}

/// The daemon's HTTP server.
public struct HTTPService: Sendable {
    private let settings: HTTPSettings
    private let responder: APIResponder
    private let server: HTTPServerBuilder
    private let certificate: ServedCertificate?
    private let logs: LogWatch
    private let connections: Int

    /// A server over the loops of a daemon; reads the certificate.
    ///
    /// - Parameters:
    ///   - metrics: what `/metrics` answers.
    ///   - webhooks: what answers `POST /webhooks/…`, without a bearer token; nil answers none.
    /// - Throws: `HTTPServiceError` when the certificate or its key cannot be used.
    public init(
        _ settings: HTTPSettings, repositories: [ServedRepository],
        metrics: @escaping @Sendable () async -> String, webhooks: (any WebhookResponder)? = nil
    ) throws {
        self.settings = settings
        let limits = settings.limits
        logs = LogWatch(sign: limits.sign)
        // A connection has one descriptor, and builds need some too.
        connections = max(16, min(limits.connections, Self.raiseDescriptorLimit() - 256))
        let api = API(
            repositories: repositories, metrics: metrics, areMetricsOpen: settings.areMetricsOpen, logs: logs,
            streamLimit: max(8, min(limits.streams, connections - 64)))
        responder = APIResponder(
            table: RouteTable(routes: api.routes, tokens: settings.tokens), webhooks: webhooks,
            bodyLimit: limits.body)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                SlowClientHandler(requestTime: TimeAmount(limits.request), writeTime: TimeAmount(limits.write))
            ], idleTimeout: TimeAmount(limits.idle),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 100))
        let plain = HTTPServerBuilder.http1(configuration: channel)
        certificate = try settings.tls.map(ServedCertificate.init)
        server = try certificate.map { try .tls(plain, tlsConfiguration: $0.configuration) } ?? plain
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameters:
    ///   - onListening: told the URL once requests are taken.
    ///   - warn: told of a renewed certificate that cannot be used.
    /// - Throws: `HTTPServiceError` when the address cannot be listened on.
    public func run(
        onListening: @escaping @Sendable (String) async -> Void, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        var logger = Logger(label: "varve.http")
        // What is told there is that the task was cancelled; what a person needs is thrown.
        logger.logLevel = .critical
        let scheme = settings.tls == nil ? "http" : "https"
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        let application = Application(
            responder: responder, server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(connections, logger: logger)),
            onServerRunning: { channel in
                await onListening("\(scheme)://\(host):\(channel.localAddress?.port ?? 0)")
            }, logger: logger)
        do {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await logs.run() }
                if let certificate { group.addTask { await certificate.renew(every: settings.renewal, warn: warn) } }
                group.addTask {
                    try await Self.serve(application, logger: application.logger)
                    if !Task.isCancelled { throw HTTPServiceError(description: "the HTTP server has ended by itself") }
                }
            }
        } catch {
            if Task.isCancelled { return }
            if let error = error as? HTTPServiceError { throw error }
            throw HTTPServiceError(description: "failed to listen on '\(host):\(settings.port)': \(error)")
        }
    }

    /// Runs the server until the task is cancelled, and then lets it end in good order, within two seconds.
    ///
    /// It is in no group of this task: a cancelled server drops the connections that nobody has taken up yet, and for
    /// each of them SwiftNIO ends the process.
    private static func serve(_ application: some Service, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        let group = ServiceGroup(configuration: configuration)
        let server = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await server.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// Lets this process open more files where the system allows it.
    ///
    /// - Returns: How many it may open.
    private static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        // No higher than is of use: tools close every number up to the limit when they start.
        let wanted = min(limit.rlim_max, 8_192)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        }
        return Int(min(limit.rlim_cur, 1 << 20))
    }
}
