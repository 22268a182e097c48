// SPDX-License-Identifier: Apache-2.0

import Crypto
public import VarveModel

/// A layer engine that builds nothing, keeps its layers in memory and counts what it was asked to do.
public actor FakeEngine: LayerEngine {
    /// Called in the middle of each execution; throws to make it fail, waits to hold it.
    public typealias Step = @Sendable (LayerRequest) async throws -> Void
    /// Called for each check.
    public typealias Check = @Sendable (BuiltLayer, Script) async throws -> Void

    /// Every execution, in the order in which they began.
    public private(set) var executions: [LayerRequest] = []
    /// How many checks were run.
    public private(set) var checks = 0
    /// How many executions run now, and how many did at most.
    public private(set) var running = (now: 0, most: 0)
    /// What the finished layers are, by key.
    public var store: [LayerKey: BuiltLayer] = [:]
    private var step: Step = { _ in }
    private var check: Check = { _, _ in }
    private var identity: @Sendable (LayerRequest) -> String? = { _ in nil }

    /// An engine with an empty store.
    public init() {}

    /// Takes what happens in each execution from now on.
    public func onBuild(_ step: @escaping Step) { self.step = step }

    /// Takes what happens in each check from now on.
    public func onVerify(_ check: @escaping Check) { self.check = check }

    /// Takes what the content of a layer is; where that is nil, it follows from the key.
    public func onIdentity(_ identity: @escaping @Sendable (LayerRequest) -> String?) { self.identity = identity }

    /// Forgets what was counted.
    public func resetCounts() {
        executions = []
        checks = 0
        running = (0, 0)
    }

    /// Loses all layers, as a new machine has none.
    public func loseStore() { store = [:] }

    /// The name for the record.
    public var name: String { "fake 1" }

    /// Does nothing.
    public func prepare() async throws {}

    /// The layer of the store.
    public func layer(for key: LayerKey, kind: LayerKind) async throws -> BuiltLayer? { store[key] }

    /// Counts the execution, does what the test wants, and keeps the layer.
    public func build(_ request: LayerRequest, log: any BuildLog) async throws -> BuiltLayer {
        executions.append(request)
        running.now += 1
        running.most = max(running.most, running.now)
        defer { running.now -= 1 }
        log.append(line: "building \(request.content.kind.rawValue)", layer: request.content.kind)
        try await step(request)
        try Task.checkCancellation()
        let content = identity(request) ?? request.key.hex
        let layer = BuiltLayer(
            key: request.key, kind: request.content.kind, configDigest: VarveModel.Digest(hashing: "config " + content),
            diffID: VarveModel.Digest(hashing: "layer " + content), size: 100)
        store[request.key] = layer
        return layer
    }

    /// Counts the check and does what the test wants.
    public func verify(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) async throws {
        checks += 1
        try await check(layer, script)
    }
}

extension VarveModel.Digest {
    /// The SHA-256 of a text.
    public init(hashing text: String) { self.init(bytes: Array(SHA256.hash(data: Array(text.utf8)))) }
}
