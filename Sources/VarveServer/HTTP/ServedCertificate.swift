// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Synchronization
public import VarveModel

/// The certificate that the server shows, with its key; renewed files are taken up without a restart.
public final class ServedCertificate: Sendable {
    private struct Pair {
        var chain: [NIOSSLCertificateSource]
        var key: NIOSSLPrivateKeySource
        var start: Timestamp
        var end: Timestamp

        var configuration: TLSConfiguration {
            var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        }
    }

    private let files: HTTPSettings.TLSFiles
    private let pair: Mutex<Pair>

    /// Reads the files.
    ///
    /// - Throws: `HTTPServiceError` when one cannot be used, or they do not fit each other.
    public init(_ files: HTTPSettings.TLSFiles) throws {
        self.files = files
        pair = Mutex(try Self.read(files))
    }

    /// From when the certificate is valid.
    public var start: Timestamp { pair.withLock(\.start) }

    /// Until when the certificate is valid.
    public var end: Timestamp { pair.withLock(\.end) }

    /// How connections are set up: each with the newest certificate that could be read.
    var configuration: TLSConfiguration {
        var configuration = pair.withLock(\.configuration)
        configuration.sslContextCallback = { [self] _, promise in
            let pair = pair.withLock { $0 }
            var newest = NIOSSLContextConfigurationOverride()
            newest.certificateChain = pair.chain
            newest.privateKey = pair.key
            promise.succeed(newest)
        }
        return configuration
    }

    /// Reads the files again after each interval, until the task is cancelled.
    ///
    /// Files that cannot be used, as in the moment between the writing of the one and of the other, are told once and leave
    /// what was read before in use.
    func renew(every interval: Duration, warn: @Sendable (String) -> Void) async {
        var said: String?
        while (try? await Task.sleep(for: interval)) != nil {
            do {
                let read = try Self.read(files)
                pair.withLock { $0 = read }
                said = nil
            } catch {
                let text = "\(error); the one that was read before stays in use"
                if said != text { warn(text) }
                said = text
            }
        }
    }

    private static func read(_ files: HTTPSettings.TLSFiles) throws -> Pair {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate)
            guard let first = chain.first else { throw HTTPServiceError(description: "the file has no certificate") }
            let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
            let pair = Pair(
                chain: chain.map { .certificate($0) }, key: .privateKey(key),
                start: Timestamp(seconds: Int(first.notValidBefore)), end: Timestamp(seconds: Int(first.notValidAfter)))
            // This is what compares the two.
            _ = try NIOSSLContext(configuration: pair.configuration)
            return pair
        } catch {
            throw HTTPServiceError(
                description: "failed to use certificate '\(files.certificate)' with key '\(files.key)': \(error)")
        }
    }
}
