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
    let turn: BuilderTurn
    /// What somebody asked for; nil where a change is what the build is for.
    let rebuild: Rebuild?
    /// Whether no further layer may be begun.
    let isDraining: @Sendable () -> Bool
    /// Who had the build ended; nil where nobody has.
    let stopper: @Sendable () -> String?
    let settings: PassSettings
    let state: StateDirectory
    let events: @Sendable (PassEvent) -> Void

    /// The record of the build, and the descriptions of its layers; nil when it was cancelled, and not by a person.
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
            trigger: rebuild?.user.map { "rebuild by \($0)" } ?? settings.trigger, status: .built,
            reasons: plan.reasons, layers: [], start: start, seconds: 0,
            engine: "", host: settings.host)
        record.base = plan.base
        record.platform = plan.definition.platforms.first
        if case .external(let reference) = plan.definition.base, let image = plan.baseImage {
            register(image, reference, in: &record)
            log.append(line: "registered \(record.reference ?? "")", layer: .base)
            return (record, descriptions(of: record.layers))
        }
        let use = await settings.disk?.use(Set(plan.platforms.flatMap { $0.layers.compactMap(\.key) }))
        defer { use?.end() }
        record.engine = await engine.name
        var layers: [LayerRecord] = []
        do {
            var finished: [BuiltLayer] = []
            for part in plan.platforms { finished.append(try await buildLayers(of: part, log: log, into: &layers)) }
            record.verify = plan.definition.verify?.digest
            for (part, image) in zip(plan.platforms, finished) {
                try await verify(image, for: part.platform, log: log)
            }
            let published = try await publish(finished, date: date)
            record.reference = published.reference
            record.manifestDigest = published.manifestDigest
            record.configDigest = published.configDigest
            record.tags = published.tags
            record.platforms = platforms(of: published)
            log.append(line: "published \(published.reference)", layer: .config)
        } catch {
            var failure = classified(error)
            let isStopped = failure.failureClass == .cancelled || Task.isCancelled
            if isStopped {
                guard let user = stopper() else {
                    log.append(line: "stopped", layer: failure.layer ?? .config)
                    return nil
                }
                failure = BuildFailure(
                    .cancelled, layer: (error as? BuildFailure)?.layer, message: "stopped by \(user)")
            }
            log.append(line: (isStopped ? "" : "error: ") + failure.message, layer: failure.layer ?? .config)
            record.status = .error
            record.error = FailureRecord(
                failureClass: failure.failureClass, layer: failure.layer, message: redacted(failure.message),
                tail: redacted(failure.tail))
        }
        record.layers = layers
        record.seconds = seconds(began.duration(to: clock.now))
        return (record, descriptions(of: layers))
    }

    /// Notes what an image that is built elsewhere is now; asks nothing of the engine, and publishes nothing.
    private func register(_ image: ResolvedImage, _ reference: ImageReference, in record: inout BuildRecord) {
        for (index, part) in plan.platforms.enumerated() {
            for layer in part.layers {
                guard let key = layer.key else { continue }
                var layer = LayerRecord(kind: layer.kind, key: key, action: .reused)
                layer.platform = index == 0 ? nil : part.platform
                record.layers.append(layer)
                events(.layerFinished(plan.definition.name, layer))
            }
        }
        if !plan.others.isEmpty {
            record.platforms = plan.platforms.enumerated().compactMap { index, part in
                part.baseImage.map { image in
                    PlatformRecord(
                        platform: part.platform, manifestDigest: image.manifestDigest,
                        configDigest: image.configDigest, base: index == 0 ? nil : part.base)
                }
            }
        }
        record.reference = "\(reference.location)@\(image.manifestDigest)"
        record.manifestDigest = image.manifestDigest
        record.configDigest = image.configDigest
    }

    /// What is recorded of several platforms; nil where there is one, of which the record itself tells.
    private func platforms(of published: PublishedImage) -> [PlatformRecord]? {
        guard !published.platforms.isEmpty else { return nil }
        return zip(plan.platforms, published.platforms).enumerated().map { index, pair in
            PlatformRecord(
                platform: pair.0.platform, manifestDigest: pair.1.manifestDigest, configDigest: pair.1.configDigest,
                base: index == 0 ? nil : pair.0.base)
        }
    }

    private func buildLayers(
        of part: PlatformPlan, log: BuildLogFile, into records: inout [LayerRecord]
    ) async throws -> BuiltLayer {
        let otherPlatform = part.platform == plan.definition.platforms.first ? nil : part.platform
        var below: BuiltLayer?
        var isForced = false
        for layer in part.layers {
            if layer.kind == rebuild?.from { isForced = true }
            guard let key = layer.key, let content = layer.content else { break }
            var request = LayerRequest(
                key: key, platform: part.platform, content: content,
                parent: below, baseImage: layer.kind == .base ? part.baseImage : nil, sources: sources,
                owner: plan.definition.owner, timeout: settings.layerTimeout)
            if layer.kind == .base { request.contextImages = part.contextImages }
            let clock = ContinuousClock()
            let began = clock.now
            do {
                let (built, action) = try await finish(request, isForced: isForced, log: log)
                var record = LayerRecord(
                    kind: layer.kind, key: key, action: action,
                    seconds: action == .built ? seconds(began.duration(to: clock.now)) : 0, size: built.size,
                    digest: built.diffID)
                record.platform = otherPlatform
                records.append(record)
                events(.layerFinished(plan.definition.name, record))
                below = built
            } catch {
                var failure = classified(error)
                failure.layer = failure.layer ?? layer.kind
                var record = LayerRecord(
                    kind: layer.kind, key: key, action: .failed, seconds: seconds(began.duration(to: clock.now)))
                record.platform = otherPlatform
                records.append(record)
                // One that was stopped has not come to an end of its own.
                if failure.failureClass != .cancelled { events(.layerFinished(plan.definition.name, record)) }
                throw failure
            }
        }
        guard let below else { throw BuildFailure(.unknown, message: "failed to build: the image has no layers") }
        return below
    }

    /// The layer of a request, from the store, from whoever is building it, or built here.
    private func finish(
        _ request: LayerRequest, isForced: Bool, log: BuildLogFile
    ) async throws -> (layer: BuiltLayer, action: LayerRecord.Action) {
        try await claim(request.key)
        do {
            // Asked with the claim in hand: who waited for one that was stopped must not begin anew.
            try Task.checkCancellation()
            if !isForced, let found = try await engine.layer(for: request.key, kind: request.content.kind) {
                await builds.finish(request.key, nil)
                return (found, .reused)
            }
            if isDraining() { throw CancellationError() }
            try await settings.leadership?.confirm()
            try await settings.disk?.admit(request.key) { events(.warning($0)) }
            events(.layerStarted(plan.definition.name, request.content.kind, request.key))
            let built = try await engine.build(request, log: log)
            await builds.finish(request.key, nil)
            return (built, .built)
        } catch {
            let failure = classified(error)
            await builds.finish(request.key, failure)
            throw failure
        }
    }

    /// Takes a key for this image alone, and leaves the builder to others while somebody else has the key.
    ///
    /// Nobody ever waits for a key with a builder in hand, or for a builder with a key: either would be a deadlock.
    private func claim(_ key: LayerKey) async throws {
        while true {
            switch await builds.claim(key, since: turn.ticket.lined) {
            case .yours: return
            case .failed(let failure): throw failure
            case .busy:
                await turn.give()
                await builds.wait(for: key)
                guard await turn.take() else { throw CancellationError() }
            }
        }
    }

    /// Runs the check, unless this very image has passed this very check before.
    private func verify(_ image: BuiltLayer, for platform: Platform, log: BuildLogFile) async throws {
        guard let script = plan.definition.verify else { return }
        if let last = plan.lastGood, last.verify == script.digest,
            last.image(for: platform)?.configDigest == image.configDigest
        {
            return
        }
        events(.verifyStarted(plan.definition.name))
        try await engine.verify(image, script: script, timeout: settings.verifyTimeout, log: log)
    }

    private func publish(_ images: [BuiltLayer], date: String) async throws -> PublishedImage {
        try Task.checkCancellation()
        let layers = zip(plan.platforms, images).map { PlatformLayer(layer: $1, annotations: annotations(of: $0)) }
        guard let first = layers.first else { throw BuildFailure(.unknown, message: "failed to publish: no image") }
        events(.publishStarted(plan.definition.name))
        var request = PublishRequest(
            image: plan.definition.name, layer: first.layer, buildTag: "\(date)-\(identity(of: images))",
            movingTags: ["latest"] + plan.definition.tags, annotations: first.annotations)
        request.others = Array(layers.dropFirst())
        request.maximumSize = plan.definition.maximumSize
        if let leadership = settings.leadership { request.beforeTagging = { try await leadership.confirm() } }
        return try await registry.publish(request)
    }

    /// What the build tag names: the beginning of the config digest, or of a digest of all of them.
    private func identity(of images: [BuiltLayer]) -> Substring {
        let digests = images.map(\.configDigest)
        if let only = digests.first, digests.count == 1 { return only.hex.prefix(12) }
        return Digest(sha256: Array(digests.map(\.description).joined(separator: "\n").utf8)).hex.prefix(12)
    }

    /// The annotations of a platform's manifest.
    private func annotations(of part: PlatformPlan) -> [String: String] {
        var annotations = ["org.opencontainers.image.revision": commit.hex]
        if let key = part.key { annotations["dev.varve.key"] = key.hex }
        if let address { annotations["org.opencontainers.image.source"] = redacted(address) }
        if let base = part.baseImage {
            // A layout's reference is a path of this machine, which is nobody's business.
            if !base.reference.hasPrefix("oci:") {
                annotations["org.opencontainers.image.base.name"] = String(base.reference.prefix { $0 != "@" })
            }
            annotations["org.opencontainers.image.base.digest"] = base.manifestDigest.description
        }
        return annotations
    }

    /// Descriptions of all layers that are there: those that were reused too, so that one lost once is found again.
    private func descriptions(of layers: [LayerRecord]) -> [LayerDescription] {
        plan.platforms.flatMap(\.layers).compactMap { layer in
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
