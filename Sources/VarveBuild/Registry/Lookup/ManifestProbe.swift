// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL
import VarveModel

/// Asks a registry by `HEAD` which digest a reference stands on.
///
/// The answer is only ever compared with what skopeo found, so whatever is out of the ordinary is no answer, and skopeo is
/// asked. No error of this client is shown, and nothing of what it sends.
struct ManifestProbe: Sendable {
    private let access: RegistryAccess
    private let environment: HostEnvironment
    private let memory: RegistryMemory

    /// How long one lookup waits, in all, for a registry that asks it to.
    private static let patience = Duration.seconds(10)
    /// How long a registry is left alone that limits askers and does not say for how long.
    private static let usualWait = Duration.seconds(60)
    private static let types = [
        MediaType.manifest, MediaType.index, MediaType.dockerManifest, MediaType.dockerList,
    ]

    /// A probe that speaks to registries as skopeo would.
    init(access: RegistryAccess, environment: [String: String], memory: RegistryMemory) {
        self.access = access
        self.environment = HostEnvironment(environment)
        self.memory = memory
    }

    /// The digest that a reference stands on; nil where that cannot be told in this way.
    ///
    /// - Throws: `BuildFailure` of class `transient` where the registry asks to wait for long.
    func digest(of reference: ImageReference) async throws -> Digest? {
        let endpoint = RegistryEndpoint(reference, access: access)
        let tools = environment.registryTools
        let credentials = RegistryCredentials(for: reference, files: access.authFiles(environment: tools))
        guard credentials != .unclear, !isBehindProxy(endpoint), !RegistriesFile.decides(home: tools["HOME"]) else {
            try await waitForTurn(at: endpoint.host, for: reference)
            return nil
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        if let file = tools["SSL_CERT_FILE"], !file.isEmpty {
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(file)
        }
        configuration.connectionPool.retryConnectionEstablishment = false
        do {
            return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                let question = Question(
                    reference: reference, endpoint: endpoint, credentials: credentials, client: client,
                    end: ContinuousClock().now + Self.patience)
                let answer = try await head(question)
                guard answer.status == .ok, let text = answer.headers.first(name: "Docker-Content-Digest") else {
                    return nil
                }
                return try? Digest(text)
            }
        } catch let failure as BuildFailure {
            throw failure
        } catch {
            return nil
        }
    }

    /// Waits until the host of a reference may be asked.
    ///
    /// - Throws: `BuildFailure` of class `transient` where that is long.
    func waitForTurn(of reference: ImageReference) async throws {
        try await waitForTurn(at: RegistryEndpoint(reference, access: access).host, for: reference)
    }

    private func waitForTurn(
        at host: String, for reference: ImageReference,
        end: ContinuousClock.Instant = ContinuousClock().now + ManifestProbe.patience
    ) async throws {
        while let moment = memory.wait(at: host) {
            guard moment <= end else {
                let seconds = Int((moment - ContinuousClock().now).components.seconds) + 1
                throw BuildFailure(
                    .transient,
                    message: "failed to resolve image '\(reference)': '\(host)' limits how often it is asked, "
                        + "and not before \(Timestamp(seconds: time(nil) + seconds)) again")
            }
            do {
                try await Task.sleep(until: moment, clock: .continuous)
            } catch {
                throw BuildFailure(.cancelled, message: "failed to resolve image '\(reference)': it was ended")
            }
        }
    }

    private struct Question {
        var reference: ImageReference
        var endpoint: RegistryEndpoint
        var credentials: RegistryCredentials
        var client: HTTPClient
        var end: ContinuousClock.Instant
    }

    private func head(_ question: Question) async throws -> HTTPClientResponse {
        let asker = RegistryMemory.Asker(
            host: question.endpoint.host, repository: question.endpoint.repository, credentials: question.credentials)
        var request = HTTPClientRequest(url: question.endpoint.manifest(question.reference))
        request.method = .HEAD
        for type in Self.types { request.headers.add(name: "Accept", value: type) }
        if let known = memory.authorization(for: asker) { request.headers.add(name: "Authorization", value: known) }
        let answer = try await send(request, to: question.endpoint.host, question)
        guard answer.status == .unauthorized else { return answer }
        let authorization = try await authorization(answer, question)
        memory.keep(authorization, for: asker)
        guard let authorization else { return answer }
        request.headers.replaceOrAdd(name: "Authorization", value: authorization.header)
        return try await send(request, to: question.endpoint.host, question)
    }

    /// What the registry wants to be shown, as it says itself; nil where that is not to be had.
    private func authorization(
        _ answer: HTTPClientResponse, _ question: Question
    ) async throws -> RegistryMemory.Authorization? {
        let challenges = answer.headers["WWW-Authenticate"].flatMap(AuthenticationChallenge.challenges)
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            return try await token(bearer, question)
        }
        guard challenges.contains(where: { $0.scheme == "basic" }), case .basic(let value) = question.credentials else {
            return nil
        }
        return RegistryMemory.Authorization(header: "Basic " + value, end: nil)
    }

    private struct Token: Decodable {
        var token: String?
        var accessToken: String?
        var life: Int?

        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case life = "expires_in"
        }
    }

    private func token(
        _ challenge: AuthenticationChallenge, _ question: Question
    ) async throws -> RegistryMemory.Authorization? {
        guard let realm = question.endpoint.realm(challenge, access: access) else { return nil }
        var request = HTTPClientRequest(url: realm.address)
        if case .basic(let value) = question.credentials {
            request.headers.add(name: "Authorization", value: "Basic " + value)
        }
        let asked = ContinuousClock().now
        let answer = try await send(request, to: realm.host, question)
        guard answer.status == .ok else { return nil }
        let body = try await answer.body.collect(upTo: 1 << 20)
        let token = try JSONDecoder().decode(Token.self, from: Data(body.readableBytesView))
        guard let text = token.token ?? token.accessToken, !text.isEmpty else { return nil }
        // A sixth less than it lives, so that none ends on its way.
        let life = Duration.seconds(max(0, min(token.life ?? 60, 86_400))) * 5 / 6
        return RegistryMemory.Authorization(header: "Bearer " + text, end: asked + life)
    }

    /// Sends a request when the host may be asked, and again when it asks to wait a little.
    private func send(
        _ request: HTTPClientRequest, to host: String, _ question: Question
    ) async throws -> HTTPClientResponse {
        while true {
            try await waitForTurn(at: host, for: question.reference, end: question.end)
            let answer = try await question.client.execute(request, timeout: .seconds(20))
            guard answer.status == .tooManyRequests else { return answer }
            let now = answer.headers.first(name: "Date").flatMap(RetryAfter.date) ?? Timestamp(seconds: time(nil))
            let wait = answer.headers.first(name: "Retry-After").flatMap { RetryAfter.wait($0, now: now) }
            memory.keep(wait: max(wait ?? Self.usualWait, .seconds(1)), at: host)
        }
    }

    /// Whether skopeo would go through a proxy, which it never does on loopback.
    private func isBehindProxy(_ endpoint: RegistryEndpoint) -> Bool {
        let isLoopback = endpoint.host.hasPrefix("127.") || endpoint.host.prefix { $0 != ":" } == "localhost"
        return !isLoopback && environment.proxies.keys.contains { $0.lowercased() == endpoint.scheme + "_proxy" }
    }
}
