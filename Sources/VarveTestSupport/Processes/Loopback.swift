// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

/// Small things about the loopback interface: free ports, and whether a server answers.
public enum Loopback {
    /// The ports below those that the system gives to outgoing connections, so that none of these takes one.
    private static let ports = 12_000..<32_000
    /// How many ports were tried; the first one is drawn, so that two runs side by side try different ones.
    private static let tried = Atomic(Int.random(in: 0..<20_000))

    /// A port of 127.0.0.1 that was free a moment ago.
    ///
    /// Each call of one process gives another, so the port of a server that was stopped stays without one.
    ///
    /// - Throws: `FixtureError` when none is free.
    public static func freePort() throws -> Int {
        for _ in ports {
            let number = tried.add(1, ordering: .relaxed).oldValue
            let port = ports.lowerBound + number % ports.count
            if isFree(port) { return port }
        }
        throw FixtureError("no port from \(ports.lowerBound) to \(ports.upperBound - 1) is free")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = address(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Sends a GET by HTTP/1.0 and returns the status and the whole answer; nil when nobody answers.
    public static func get(port: Int, path: String) -> (status: Int, text: String)? {
        guard let text = exchange(port: port, send: "GET \(path) HTTP/1.0\r\nHost: 127.0.0.1:\(port)\r\n\r\n") else {
            return nil
        }
        let parts = text.split(separator: " ", maxSplits: 2)
        guard parts.count > 1, let status = Int(parts[1]) else { return nil }
        return (status, text)
    }

    /// Connects, sends, and reads until the other side closes, or, with nothing to send, until the first bytes.
    static func exchange(port: Int, send request: String) -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = address(port: port)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        let bytes = Array(request.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { break }
            answer += buffer[..<count]
            if request.isEmpty { break }
        }
        return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
    }

    /// Asks again and again, at most every 20 ms, until `isReady` says yes.
    ///
    /// - Throws: `FixtureError` after `deadline`, or at once when `process` has ended.
    public static func wait(
        for what: String, deadline: Duration = .seconds(60), process: ChildProcess? = nil,
        until isReady: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + deadline
        while try await !isReady() {
            if let process, !process.isRunning {
                throw FixtureError("\(what) ended early: \(await process.result())")
            }
            guard ContinuousClock.now < end else {
                throw FixtureError("\(what) was not ready within \(deadline): \(process?.errorOutput ?? "")")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }
}
