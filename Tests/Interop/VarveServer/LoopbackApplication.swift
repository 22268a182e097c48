// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Hummingbird
import NIOCore
import NIOHTTP1
import Synchronization
import Testing
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
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        group.addTask {
            guard let port = await ports.first(where: { _ in true }) else { return }
            try await body("http://127.0.0.1:\(port)")
        }
        // The one that ends first is the body, or an application that could not start.
        try await group.next()
        group.cancelAll()
        try? await group.waitForAll()
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
