// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Testing
import VarveServer
import VarveTestSupport

/// Runs an application on the loopback interface, on a free port or the one given, for as long as the body takes.
func withApplication(
    _ router: Router<BasicRequestContext>, port: Int = 0,
    body: @escaping @Sendable (_ address: String) async throws -> Void
) async throws {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
        onServerRunning: { channel in
            if let port = channel.localAddress?.port { continuation.yield(port) }
        })
    // Ended in good order: for a connection that a cancelled server has not taken up yet, SwiftNIO ends the process.
    var configuration = ServiceGroupConfiguration(services: [application], logger: Logger(label: "test"))
    configuration.maximumGracefulShutdownDuration = .seconds(2)
    let services = ServiceGroup(configuration: configuration)
    let server = Task {
        defer { continuation.finish() }
        try await services.run()
    }
    let outcome = await Task {
        guard let port = await ports.first(where: { _ in true }) else { return try await server.value }
        try await body("http://127.0.0.1:\(port)")
    }.result
    await services.triggerGracefulShutdown()
    _ = await server.result
    try outcome.get()
}

/// Runs the daemon's server on the loopback interface for as long as the body takes; metrics need no token.
func withServer(
    metrics: @escaping @Sendable () async -> String = { "" }, webhooks: (any WebhookResponder)? = nil,
    body: (_ address: String) async throws -> Void
) async throws {
    let settings = HTTPSettings(host: "127.0.0.1", port: 0, tls: nil, tokens: TokenTable(), areMetricsOpen: true)
    let service = try HTTPService(settings, repositories: [], metrics: metrics, webhooks: webhooks)
    let (addresses, continuation) = AsyncStream<String>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { continuation.finish() }
            try await service.run { continuation.yield($0) }
        }
        let address = await addresses.first { _ in true }
        try await body(#require(address))
        group.cancelAll()
    }
}

/// Posts a body and gives the status and the text of the answer.
func post(
    _ url: String, _ body: [UInt8], headers: [String: String] = [:]
) async throws -> (status: Int, text: String) {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    request.body = .bytes(ByteBuffer(bytes: body))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let text = try await String(buffer: response.body.collect(upTo: 1 << 20))
    return (Int(response.status.code), text)
}

/// Keeps what happens, and lets a test wait for the next.
final class Happenings<Element: Sendable>: Sendable {
    private let (stream, continuation) = AsyncStream<Element>.makeStream()
    private let kept = Mutex<[Element]>([])

    func add(_ element: Element) {
        kept.withLock { $0.append(element) }
        continuation.yield(element)
    }

    var all: [Element] { kept.withLock(\.self) }

    func next() async throws -> Element { try #require(await stream.first { _ in true }) }
}
