// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Serves the repositories of a folder by `git http-backend` on a loopback port; pushing is allowed.
public struct GitHTTPServer: Sendable {
    /// The port.
    public let port: Int
    /// Holds pushes between the advertisement of the refs and the reading of the pack.
    public let gate: PushGate
    private let process: ChildProcess
    private let origin: (scheme: String, host: String)

    /// Starts the server; it ends with the test.
    ///
    /// With `credentials`, `USER:PASSWORD`, every request must carry them by basic authentication. With `certificate`, a
    /// file of a certificate for `localhost` and its key, it speaks TLS.
    ///
    /// - Throws: `FixtureError` when it does not start.
    public init(
        serving root: String, in directory: TemporaryDirectory, credentials: String? = nil, certificate: String? = nil
    ) async throws {
        let gate = try PushGate(folder: directory.makeFolder("http-gate-\(UUID().uuidString.prefix(8))"))
        let program = Fixtures.path("programs/git-http-server.py")
        let process = try ChildProcess.server(
            "python3", [program, root, gate.folder] + (credentials.map { [$0] } ?? []),
            environment: certificate.map { ["CERTIFICATE": $0] } ?? [:]
        )
        directory.addCleanup { await process.stop() }
        guard let line = await process.lines().first(where: { _ in true }), let port = Int(line) else {
            throw FixtureError("the git http server did not start: \(process.errorOutput)")
        }
        (self.port, self.gate, self.process) = (port, gate, process)
        origin = certificate == nil ? ("http", "127.0.0.1") : ("https", "localhost")
    }

    /// Makes a certificate for `localhost`.
    ///
    /// - Returns: The file with the certificate alone, and the file with certificate and key.
    /// - Throws: `FixtureError` when openssl is not there or fails.
    public static func makeCertificate(
        in directory: TemporaryDirectory
    ) async throws -> (certificate: String, withKey: String) {
        let made = try await TestCertificate(in: directory)
        let both = [made.certificate, made.key].map { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" }
            .joined()
        return (made.certificate, try directory.write(both, to: "certificate-and-key.pem"))
    }

    /// The address of a repository below the served folder.
    public func address(of repository: String) -> String { "\(origin.scheme)://\(origin.host):\(port)/\(repository)" }

    /// The same address with credentials in it.
    public func address(of repository: String, credentials: String) -> String {
        "\(origin.scheme)://\(credentials)@\(origin.host):\(port)/\(repository)"
    }

    /// What the server wrote about its requests, a line each: method, path, status.
    public var log: [String] { process.errorOutput.split(separator: "\n").map(String.init) }

    /// Ends the server before the test ends.
    public func stop() async { await process.stop() }
}
