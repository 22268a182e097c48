// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// What a server answered.
public struct HTTPAnswer: Sendable, CustomStringConvertible {
    /// The status code.
    public var status: Int
    /// The headers, by their names in lower case.
    public var headers: [String: String]
    /// The body, without the framing of chunks.
    public var body: String

    /// Status and body, for messages of failing tests.
    public var description: String { "\(status) \(headers)\n\(body)" }

    /// The body as JSON.
    ///
    /// - Throws: `FixtureError` when it is none.
    public func json() throws -> JSONValue { try JSONValue(parsing: body) }

    /// Reads a whole answer; nil where it has no head.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        var lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        self.status = status
        headers = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        body = String(text[end.upperBound...])
        if headers["transfer-encoding"] == "chunked" { body = Self.joined(body.utf8[...]) }
    }

    private static func joined(_ chunks: Substring.UTF8View) -> String {
        var rest = chunks
        var bytes: [UInt8] = []
        while let end = rest.firstIndex(of: 0x0a) {
            let digits = String(decoding: rest[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            rest = rest[rest.index(after: end)...]
            guard let size = Int(digits, radix: 16), size > 0 else { break }
            bytes += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A connection to a server on 127.0.0.1, for clients that behave in ways that a library would not.
public final class HTTPConnection: Sendable {
    private let descriptor: Int32

    /// Connects.
    ///
    /// - Throws: `FixtureError` when nobody listens.
    public init(port: Int, patience: Int = 60) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw FixtureError("nobody listens on port \(port): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends bytes; nothing more where the other side has closed.
    public func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads until the other side closes, or the text so far is enough, or nothing comes for too long.
    public func read(until isEnough: ((String) -> Bool)? = nil) -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return answer }
            answer += buffer[..<count]
            // Not for nothing: of a large answer it takes longer than the answer.
            if let isEnough, isEnough(String(decoding: answer, as: UTF8.self)) { return answer }
        }
    }

    /// Waits until there is something to read, and leaves it there.
    ///
    /// - Returns: whether there is.
    public func waitsToBeRead(atMost seconds: Int32 = 60) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&state, 1, seconds * 1_000) == 1
    }

    /// Whether the other side closes the connection, with or without more to read, before this side loses patience.
    public func isClosedByPeer() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }
}

/// Runs what blocks on a thread of its own, so that a server in the same process keeps the threads that tasks run on.
///
/// - Throws: what the body throws.
public func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// A client of one server on 127.0.0.1.
public struct HTTPClient: Sendable {
    /// The port.
    public var port: Int
    /// The bearer token; nil sends none.
    public var token: String?

    /// A client.
    public init(port: Int, token: String? = nil) {
        self.port = port
        self.token = token
    }

    /// The text of a request.
    public func request(_ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil)
        -> String
    {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nconnection: close\r\n"
        if let token { text += "authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "content-length: \(body.utf8.count)\r\n" }
        return text + "\r\n" + (body ?? "")
    }

    /// Sends a request and reads the whole answer.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) throws -> HTTPAnswer {
        try answer(to: request(method, path, headers: headers, body: body))
    }

    /// Sends the text of a request and reads the whole answer.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func answer(to request: String) throws -> HTTPAnswer {
        let connection = try HTTPConnection(port: port)
        connection.send(request)
        let bytes = connection.read()
        guard let answer = HTTPAnswer(bytes) else {
            throw FixtureError("no answer to \(request.prefix(80)): \(String(decoding: bytes, as: UTF8.self))")
        }
        return answer
    }

    /// Sends a GET and reads the whole answer.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func get(_ path: String, headers: [String: String] = [:]) throws -> HTTPAnswer {
        try send("GET", path, headers: headers)
    }

    /// Sends a POST, with a JSON body where one is given, and reads the whole answer.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func post(_ path: String, _ body: String? = nil) throws -> HTTPAnswer {
        try send("POST", path, headers: body == nil ? [:] : ["content-type": "application/json"], body: body ?? "")
    }
}
