// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// Builds, verifies and publishes one image as its plan says, and tells how it went.
struct ImageBuild: Sendable {
    let plan: ImagePlan
    let commit: ObjectID
    let address: String?
    let sources: any SourceTree
    let engine: any LayerEngine
    let registry: any ImageRegistry
    let builds: LayerBuilds
    let settings: PassSettings
    let state: StateDirectory
    let events: @Sendable (PassEvent) -> Void

    /// The record of the build, and the descriptions of its layers; nil when it was cancelled.
    func run() async -> (record: BuildRecord, descriptions: [LayerDescription])? {
        let name = plan.definition.name
        let date = settings.now().dottedDate
        let start = settings.moment(after: plan.latest)
        let clock = ContinuousClock()
        let began = clock.now
        let id = settings.makeID()
        let log = BuildLogFile(folder: state.logs(of: name), start: start, id: id) { [events] line, layer in
            events(.output(name, layer, line))
        }
        events(.imageStarted(name, reasons: plan.reasons, log: log.path))
        var record = BuildRecord(
            id: id, image: name, folder: plan.definition.folder, tree: plan.definition.tree, commit: commit,
            trigger: settings.trigger, status: .built, reasons: plan.reasons, layers: [], start: start, seconds: 0,
            engine: await engine.name, host: settings.host)
        record.base = plan.base
        record.platform = plan.definition.platforms.first
        var layers: [LayerRecord] = []
        do {
            let finished = try await buildLayers(log: log, into: &layers)
            record.verify = plan.definition.verify?.digest
            try await verify(finished, log: log)
            let published = try await publish(finished, date: date)
            record.reference = published.reference
            record.manifestDigest = published.manifestDigest
            record.configDigest = published.configDigest
            record.tags = published.tags
            log.append(line: "published \(published.reference)", layer: .config)
        } catch {
            let failure = classified(error)
            if failure.failureClass == .cancelled || Task.isCancelled {
                log.append(line: "stopped", layer: failure.layer ?? .config)
                return nil
            }
            log.append(line: "error: \(failure.message)", layer: failure.layer ?? .config)
            record.status = .error
            record.error = FailureRecord(
                failureClass: failure.failureClass, layer: failure.layer, message: redacted(failure.message),
                tail: redacted(failure.tail))
        }
        record.layers = layers
        record.seconds = seconds(began.duration(to: clock.now))
        return (record, descriptions(of: layers))
    }

    private func buildLayers(log: BuildLogFile, into records: inout [LayerRecord]) async throws -> BuiltLayer {
        var below: BuiltLayer?
        for layer in plan.layers {
            guard let key = layer.key, let content = layer.content else { break }
            var request = LayerRequest(
                key: key, platform: plan.definition.platforms.first ?? settings.platform, content: content,
                parent: below, baseImage: layer.kind == .base ? plan.baseImage : nil, sources: sources,
                owner: plan.definition.owner, timeout: settings.layerTimeout)
            if layer.kind == .base { request.contextImages = plan.contextImages }
            let clock = ContinuousClock()
            let began = clock.now
            do {
                let (built, action) = try await finish(request, log: log)
                let record = LayerRecord(
                    kind: layer.kind, key: key, action: action,
                    seconds: action == .built ? seconds(began.duration(to: clock.now)) : 0, size: built.size,
                    digest: built.diffID)
                records.append(record)
                events(.layerFinished(plan.definition.name, record))
                below = built
            } catch {
                var failure = classified(error)
                failure.layer = failure.layer ?? layer.kind
                guard failure.failureClass != .cancelled else { throw failure }
                let record = LayerRecord(
                    kind: layer.kind, key: key, action: .failed, seconds: seconds(began.duration(to: clock.now)))
                records.append(record)
                events(.layerFinished(plan.definition.name, record))
                throw failure
            }
        }
        guard let below else { throw BuildFailure(.unknown, message: "failed to build: the image has no layers") }
        return below
    }

    /// The layer of a request, from the store, from whoever is building it, or built here.
    private func finish(
        _ request: LayerRequest, log: BuildLogFile
    ) async throws -> (layer: BuiltLayer, action: LayerRecord.Action) {
        if case .done(let result) = await builds.claim(request.key) { return (try result.get(), .reused) }
        do {
            // Asked with the claim in hand: who waited for one that was stopped must not begin anew.
            try Task.checkCancellation()
            if let found = try await engine.layer(for: request.key, kind: request.content.kind) {
                await builds.finish(request.key, .success(found))
                return (found, .reused)
            }
            events(.layerStarted(plan.definition.name, request.content.kind, request.key))
            let built = try await engine.build(request, log: log)
            await builds.finish(request.key, .success(built))
            return (built, .built)
        } catch {
            let failure = classified(error)
            await builds.finish(request.key, .failure(failure))
            throw failure
        }
    }

    /// Runs the check, unless this very image has passed this very check before.
    private func verify(_ image: BuiltLayer, log: BuildLogFile) async throws {
        guard let script = plan.definition.verify else { return }
        if let last = plan.lastGood, last.verify == script.digest, last.configDigest == image.configDigest { return }
        events(.verifyStarted(plan.definition.name))
        try await engine.verify(image, script: script, timeout: settings.verifyTimeout, log: log)
    }

    private func publish(_ image: BuiltLayer, date: String) async throws -> PublishedImage {
        try Task.checkCancellation()
        events(.publishStarted(plan.definition.name))
        var annotations = ["org.opencontainers.image.revision": commit.hex, "dev.varve.key": image.key.hex]
        if let address { annotations["org.opencontainers.image.source"] = redacted(address) }
        if let base = plan.baseImage {
            // A layout's reference is a path of this machine, which is nobody's business.
            if !base.reference.hasPrefix("oci:") {
                annotations["org.opencontainers.image.base.name"] = String(base.reference.prefix { $0 != "@" })
            }
            annotations["org.opencontainers.image.base.digest"] = base.manifestDigest.description
        }
        var request = PublishRequest(
            image: plan.definition.name, layer: image,
            buildTag: "\(date)-\(image.configDigest.hex.prefix(12))",
            movingTags: ["latest"] + plan.definition.tags, annotations: annotations)
        request.maximumSize = plan.definition.maximumSize
        return try await registry.publish(request)
    }

    /// Descriptions of all layers that are there: those that were reused too, so that one lost once is found again.
    private func descriptions(of layers: [LayerRecord]) -> [LayerDescription] {
        plan.layers.compactMap { layer in
            guard let key = layer.key, let content = layer.content,
                layers.contains(where: { $0.key == key && $0.action != .failed })
            else { return nil }
            return LayerDescription(
                key: key, recipe: Recipe.version(of: layer.kind), lines: content.lines.map(redacted))
        }
    }

    private func classified(_ error: any Error) -> BuildFailure {
        // A step that was ended by a stop fails in ways of its own: the stop is asked first.
        if Task.isCancelled { return BuildFailure(.cancelled, message: "stopped") }
        return switch error {
        case let failure as BuildFailure: failure
        case is CancellationError: BuildFailure(.cancelled, message: "stopped")
        default: BuildFailure(.unknown, message: redacted("\(error)"))
        }
    }

    private func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return (Double(seconds) * 1_000 + (Double(attoseconds) / 1e15).rounded()) / 1_000
    }
}
