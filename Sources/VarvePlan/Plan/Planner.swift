// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Compares what the definitions ask for with what the records say exists.
///
/// Pure: no clock, no file, no network.
public struct Planner: Sendable {
    /// What was found out about a registry base in this pass.
    public typealias BaseResolution = Result<ResolvedImage, BuildFailure>

    private let definitions: [ImageName: ImageDefinition]
    private let invalid: [InvalidDefinition]
    private let bases: [PlatformReference: BaseResolution]
    private let location: @Sendable (ImageName) -> String

    /// Earlier layers in words, so that reasons can name what changed; may lack any.
    public var descriptions: [LayerKey: LayerDescription]
    /// Images whose published digest was found missing, with the reference that is missing.
    public var missing: [ImageName: String] = [:]
    /// Images that a person asked to build again.
    public var forced: Set<ImageName> = []
    /// Whether a registry base that nobody looked up holds its image up, in place of blocking it.
    public var unknownBasesWait = false
    /// Which image stands on which.
    public let graph: ImageGraph

    /// A planner for the definitions of one commit.
    ///
    /// - Parameters:
    ///   - fleet: the definitions.
    ///   - bases: what each registry reference among the bases was found to be.
    ///   - descriptions: earlier layers in words, so that reasons can name what changed; may lack any.
    ///   - location: where an image is published, without tag or digest.
    public init(
        fleet: Fleet, bases: [PlatformReference: BaseResolution], descriptions: [LayerKey: LayerDescription] = [:],
        location: @escaping @Sendable (ImageName) -> String
    ) {
        definitions = Dictionary(fleet.images.map { ($0.name, $0) }) { first, _ in first }
        invalid = fleet.invalid
        graph = ImageGraph(fleet.images)
        self.bases = bases
        self.descriptions = descriptions
        self.location = location
    }

    /// The plan for all images.
    public func plan(_ history: History) -> Plan {
        var plans: [ImageName: ImagePlan] = [:]
        for name in graph.order {
            if let plan = plan(name, history: history, parents: plans) { plans[name] = plan }
        }
        let names = Set(definitions.keys.map(\.value)).union(invalid.map(\.name))
        let folders = Set(invalid.map(\.folder))
        let retired = history.latest.values.filter { record in
            // A definition that could never be read was never an image.
            record.status != .retired && (record.status != .invalid || history.lastGood[record.image] != nil)
                && !names.contains(record.image.value) && !folders.contains(record.folder)
        }
        return Plan(
            images: graph.order.compactMap { plans[$0] }, invalid: invalid,
            retired: retired.sorted { $0.image < $1.image })
    }

    /// The plan for one image, given the plans of the images below it.
    ///
    /// A parent that is absent from `parents` counts as being as it should.
    public func plan(_ name: ImageName, history: History, parents: [ImageName: ImagePlan]) -> ImagePlan? {
        guard let definition = definitions[name] else { return nil }
        guard let first = definition.platforms.first else { return nil }
        let bases = definition.platforms.map { platform in
            resolveBase(of: definition, for: platform, history: history, parents: parents)
        }
        // The platforms are published together: none of them goes before the least ready.
        guard let base = bases.min(by: { $0.readiness < $1.readiness }), let own = bases.first else { return nil }
        var plan = ImagePlan(
            definition: definition, action: .none, status: .built, reasons: [], layers: [], cause: base.cause,
            base: own.record, baseImage: own.image, contextImages: own.contextImages, latest: history.latest[name],
            lastGood: history.lastGood[name])
        plan.layers = layers(of: definition, for: first, base: own, history: history)
        plan.others = zip(definition.platforms, bases).dropFirst().map { platform, base in
            PlatformPlan(
                platform: platform, layers: layers(of: definition, for: platform, base: base, history: history),
                base: base.record, baseImage: base.image, contextImages: base.contextImages)
        }
        if definition.isSuspended {
            plan.status = .suspended
            plan.cause = nil
            return plan
        }
        let reasons = plan.isKeyed ? self.reasons(for: plan) : []
        switch base.readiness {
        case .ready where reasons.isEmpty: break
        case .ready:
            plan.action = .build
            plan.reasons = reasons
            plan.status = reasons.contains { $0.kind == "last-build-failed" } ? .error : .pending
        case .waiting:
            plan.action = .wait
            plan.status = .pending
        case .broken where plan.isKeyed && reasons.isEmpty: plan.cause = nil
        case .broken:
            plan.action = .blocked
            plan.status = .blocked
        }
        return plan
    }

    private func layers(
        of definition: ImageDefinition, for platform: Platform, base: Base, history: History
    ) -> [LayerPlan] {
        var contents: [LayerContent?] = [base.content.map { .base($0) }]
        if case .external = definition.base {
            // Built elsewhere: what was found is all of it.
        } else {
            var build = definition.build
            if definition.hardware == .gpu { build.conda?.cudaOverride = base.record?.cudaVersion }
            contents += build.contents
            contents.append(.config(ConfigContent(environment: definition.environment, start: definition.start)))
        }
        var parent: LayerKey?
        return contents.enumerated().map { index, content in
            guard let content, index == 0 || parent != nil else {
                return LayerPlan(kind: content?.kind ?? .base, key: nil, content: content, action: .wait)
            }
            let key = LayerKey(platform: platform, content: content, parent: parent)
            parent = key
            return LayerPlan(
                kind: content.kind, key: key, content: content, action: history.hasFinished(key) ? .reuse : .build)
        }
    }

    private func reasons(for plan: ImagePlan) -> [RebuildReason] {
        let location =
            if case .external(let reference) = plan.definition.base { reference.location } else {
                location(plan.definition.name)
            }
        var reasons = Reasons(plan: plan, descriptions: descriptions, location: location).all
        if let reference = missing[plan.definition.name] { reasons.append(.artefactMissing(reference: reference)) }
        if forced.contains(plan.definition.name) { reasons.append(.forced) }
        return reasons
    }
}

extension Planner {
    /// Whether a base can be built upon.
    ///
    /// The least ready comes first.
    private enum Readiness: Comparable { case broken, waiting, ready }

    private struct Base: Error {
        var content: BaseContent?
        var record: BaseRecord?
        var image: ResolvedImage?
        var contextImages: [ImageReference: ResolvedImage] = [:]
        var readiness: Readiness
        var cause: String?
    }

    private func resolveBase(
        of definition: ImageDefinition, for platform: Platform, history: History, parents: [ImageName: ImagePlan]
    ) -> Base {
        switch definition.base {
        case .bootstrap(let bootstrap):
            let record = BaseRecord(reference: "bootstrap \(bootstrap.distribution)/\(bootstrap.suite)")
            return Base(content: .bootstrap(bootstrap), record: record, readiness: .ready)
        case .registry(let reference), .external(let reference):
            switch look(up: reference, for: platform) {
            case .success(let image) where lacksCUDA(image, for: definition):
                return Base(
                    readiness: .broken, cause: "base \(reference) has no CUDA, which an image of hardware gpu needs")
            case .success(let image): return standing(on: image, named: reference.description, .ready)
            case .failure(let base): return base
            }
        case .containerfile(let specification): return resolveBase(by: specification, for: platform)
        case .image(let parent): return resolveBase(on: parent, for: platform, history: history, plan: parents[parent])
        }
    }

    /// The newest of some versions, compared number by number.
    private static func newest(_ versions: [String]) -> String? {
        versions.max { left, right in
            left.split(separator: ".").map { Int($0) ?? 0 }.lexicographicallyPrecedes(
                right.split(separator: ".").map { Int($0) ?? 0 })
        }
    }

    /// An image built elsewhere is only registered: what it has is its maker's affair.
    private func lacksCUDA(_ image: ResolvedImage, for definition: ImageDefinition) -> Bool {
        guard case .registry = definition.base else { return false }
        return definition.hardware == .gpu && image.cudaVersion == nil
    }

    /// What a reference was found to be, or the base that is not ready because it was not found.
    private func look(up reference: ImageReference, for platform: Platform) -> Result<ResolvedImage, Base> {
        switch bases[PlatformReference(reference, for: platform)] {
        case .success(let image): .success(image)
        case .failure(let failure):
            .failure(Base(readiness: .broken, cause: "base \(reference): \(failure.message)"))
        case nil where unknownBasesWait:
            .failure(Base(readiness: .waiting, cause: "base \(reference) was never looked up"))
        case nil: .failure(Base(readiness: .broken, cause: "base \(reference) was not resolved"))
        }
    }

    /// A Containerfile can be built when every image that it names is known.
    private func resolveBase(by specification: ContainerfileSpecification, for platform: Platform) -> Base {
        var images: [ImageReference: ResolvedImage] = [:]
        for reference in specification.images {
            switch look(up: reference, for: platform) {
            case .success(let image): images[reference] = image
            case .failure(let base): return base
            }
        }
        let content = ContainerfileContent(specification: specification, images: images.mapValues(\.configDigest))
        var record = BaseRecord(
            reference: "containerfile \(specification.path)",
            cudaVersion: Self.newest(images.values.compactMap(\.cudaVersion)))
        let pinned = specification.images.compactMap { reference in
            images[reference].map { image in
                BaseRecord(
                    reference: reference.description, manifestDigest: image.manifestDigest,
                    configDigest: image.configDigest, cudaVersion: image.cudaVersion)
            }
        }
        if !pinned.isEmpty { record.images = pinned }
        return Base(content: .containerfile(content), record: record, contextImages: images, readiness: .ready)
    }

    /// The last published build of a parent counts, and only when the parent is as its definition says may a child be
    /// built on it: a child is never built on a stale parent.
    private func resolveBase(
        on parent: ImageName, for platform: Platform, history: History, plan: ImagePlan?
    ) -> Base {
        let published = history.published(parent, for: platform)
        switch plan?.action {
        case .build, .wait: return Base(readiness: .waiting, cause: "waiting for \(parent)")
        case .blocked:
            let state = plan?.status == .blocked ? "blocked" : "failing"
            return standing(on: published, named: parent.value, .broken, cause: "base \(parent) is \(state)")
        case .some(.none), nil:
            if definitions[parent] == nil {
                return standing(on: published, named: parent.value, .broken, cause: "base \(parent) is invalid")
            }
            guard published != nil else {
                let state = definitions[parent]?.isSuspended == true ? "suspended and was never built" : "not published"
                return Base(readiness: .broken, cause: "base \(parent) is \(state)")
            }
            return standing(on: published, named: parent.value, .ready)
        }
    }

    private func standing(
        on image: ResolvedImage?, named reference: String, _ readiness: Readiness, cause: String? = nil
    ) -> Base {
        guard let image else { return Base(readiness: readiness, cause: cause) }
        let record = BaseRecord(
            reference: reference, manifestDigest: image.manifestDigest, configDigest: image.configDigest,
            cudaVersion: image.cudaVersion)
        return Base(
            content: .image(configDigest: image.configDigest), record: record, image: image, readiness: readiness,
            cause: cause)
    }
}
