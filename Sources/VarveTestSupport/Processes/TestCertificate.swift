// SPDX-License-Identifier: Apache-2.0

/// A certificate for this machine that nobody has signed but itself, and its key.
public struct TestCertificate: Sendable {
    /// The file of the certificate, PEM.
    public let certificate: String
    /// The file of the key, PEM; for its owner alone.
    public let key: String

    /// Makes one in a directory; `days` from now it ends, or has ended.
    ///
    /// - Throws: `FixtureError` when openssl is not there or fails.
    public init(in directory: TemporaryDirectory, named name: String = "certificate", days: Int = 30) async throws {
        (certificate, key) = (directory.path(name + ".pem"), directory.path(name + "-key.pem"))
        // For the name too, because the mbedTLS 2.28 that libgit2 uses on Debian 12 looks at no addresses.
        try await Command.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                "-out",
                certificate,
            ])
        // `req` makes none that has ended.
        let signed = ["x509", "-in", certificate, "-signkey", key, "-days", String(days), "-out", certificate]
        if days < 0 { try await Command.run("openssl", signed) }
    }
}
