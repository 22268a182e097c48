// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// A repository of definitions, a registry of bases and the records of what was built, without anything that builds.
struct Bench {
    var images: [ImageDefinition] = []
    var invalid: [InvalidDefinition] = []
    var bases: [ImageReference: Planner.BaseResolution] = [:]
    /// What references mean for one platform, where that is not what they mean for all.
    var platformBases: [Platform: [ImageReference: Planner.BaseResolution]] = [:]
    var records: [BuildRecord] = []
    var descriptions: [LayerKey: LayerDescription] = [:]
    var location = "r.example.com"
    /// The config digest of a finished image, where it is not to follow from the key.
    var contents: [ImageName: Digest] = [:]
    var missing: [ImageName: String] = [:]
    var forced: Set<ImageName> = []
    var clock = 0

    static let platform = "linux/amd64"
    static let reference = "docker.io/library/debian:bookworm"

    var planner: Planner {
        var found: [PlatformReference: Planner.BaseResolution] = [:]
        for platform in Set(images.flatMap(\.platforms)) {
            for (reference, resolution) in bases { found[PlatformReference(reference, for: platform)] = resolution }
            for (reference, resolution) in platformBases[platform] ?? [:] {
                found[PlatformReference(reference, for: platform)] = resolution
            }
        }
        var planner = Planner(
            fleet: Fleet(images: images, invalid: invalid), bases: found, descriptions: descriptions,
            location: { [location] in "\(location)/\($0)" })
        planner.missing = missing
        planner.forced = forced
        return planner
    }

    var plan: Plan { planner.plan(History(records)) }

    func plan(of name: String) throws -> ImagePlan {
        let wanted = try ImageName(name)
        guard let plan = plan.images.first(where: { $0.definition.name == wanted }) else { throw Missing(name: name) }
        return plan
    }

    struct Missing: Error { var name: String }

    mutating func add(
        _ name: String, on base: BaseSpecification? = nil, _ change: (inout ImageDefinition) throws -> Void = { _ in }
    ) throws {
        var image = ImageDefinition(
            name: try ImageName(name), folder: try RepositoryPath("images/\(name)"),
            tree: try ObjectID(hex: String(repeating: "1", count: 40)),
            base: try base ?? .registry(ImageReference(Self.reference)), platforms: [try Platform(Self.platform)])
        try change(&image)
        images.removeAll { $0.name == image.name }
        images.append(image)
    }

    mutating func edit(_ name: String, _ change: (inout ImageDefinition) throws -> Void) rethrows {
        for index in images.indices where images[index].name.value == name { try change(&images[index]) }
    }

    /// Puts content under a registry reference.
    mutating func push(_ content: String, manifest: String, to text: String = reference, cuda: String? = nil) throws {
        let reference = try ImageReference(text)
        bases[reference] = .success(
            ResolvedImage(
                reference: text, manifestDigest: Digest(sha256: Array(manifest.utf8)),
                configDigest: Digest(sha256: Array(content.utf8)), cudaVersion: cuda))
    }

    /// Builds until nothing is left to build; tells which layers had to be executed, in order.
    @discardableResult
    mutating func build() throws -> [String] {
        var executed: [String] = []
        for _ in 0..<20 {
            let ready = plan.images.filter { $0.action == .build }
            guard !ready.isEmpty else { break }
            for plan in ready {
                let built = History(records)
                executed += plan.platforms.flatMap(\.layers).compactMap { layer in
                    layer.key.map { built.hasFinished($0) } == false ? "\(plan.definition.name) \(layer.kind)" : nil
                }
                try finish(plan)
                missing[plan.definition.name] = nil
                forced.remove(plan.definition.name)
            }
        }
        return executed
    }

    /// Records a plan as built and published, and the descriptions of its layers.
    mutating func finish(_ plan: ImagePlan) throws {
        let name = plan.definition.name
        var record = try record(plan, .built)
        for (index, part) in plan.platforms.enumerated() {
            for layer in part.layers {
                guard let key = layer.key else { continue }
                var finished = LayerRecord(kind: layer.kind, key: key, action: .built)
                finished.platform = index == 0 ? nil : part.platform
                record.layers.append(finished)
            }
        }
        let digest = contents[name] ?? Digest(sha256: Array("\(plan.key?.hex ?? "")".utf8))
        record.configDigest = digest
        record.manifestDigest = Digest(sha256: Array("\(name)\(clock)".utf8))
        record.reference = "\(location)/\(name)@\(digest)"
        record.tags = ["latest"] + plan.definition.tags
        record.verify = plan.definition.verify?.digest
        record.base = plan.base
        if !plan.others.isEmpty {
            record.platforms = plan.platforms.enumerated().map { index, part in
                PlatformRecord(
                    platform: part.platform,
                    manifestDigest: Digest(sha256: Array("\(name)\(part.platform)\(clock)".utf8)),
                    configDigest: index == 0 ? digest : Digest(sha256: Array("\(part.key?.hex ?? "")".utf8)),
                    base: index == 0 ? nil : part.base)
            }
        }
        if case .external(let reference) = plan.definition.base, let image = plan.baseImage {
            record.configDigest = image.configDigest
            record.manifestDigest = image.manifestDigest
            record.reference = "\(reference.location)@\(image.manifestDigest)"
            record.tags = []
        }
        records.append(record)
        for layer in plan.platforms.flatMap(\.layers) {
            guard let key = layer.key, let content = layer.content else { continue }
            descriptions[key] = LayerDescription(key: key, recipe: Recipe.version(of: layer.kind), lines: content.lines)
        }
    }

    /// Records that a plan failed in a layer, or in `verify` where no layer is given.
    mutating func fail(_ plan: ImagePlan, in kind: LayerKind?, message: String = "it broke") throws {
        var record = try record(plan, .error)
        for layer in plan.layers {
            guard let key = layer.key else { break }
            record.layers.append(LayerRecord(kind: layer.kind, key: key, action: layer.kind == kind ? .failed : .built))
            if layer.kind == kind { break }
        }
        if kind == nil { record.verify = plan.definition.verify?.digest }
        record.error = FailureRecord(failureClass: .definition, layer: kind, message: message, tail: "")
        records.append(record)
    }

    private mutating func record(_ plan: ImagePlan, _ status: ImageStatus) throws -> BuildRecord {
        clock += 60
        var record = BuildRecord(
            id: "\(clock)", image: plan.definition.name, folder: plan.definition.folder, tree: plan.definition.tree,
            commit: try ObjectID(hex: String(repeating: "2", count: 40)), trigger: "test", status: status,
            reasons: plan.reasons, layers: [], start: Timestamp(seconds: clock), seconds: 1, engine: "fake", host: "h")
        record.platform = plan.definition.platforms.first
        return record
    }
}

/// A script of a text.
func script(_ text: String) -> Script { Script(bytes: Array(text.utf8)) }

/// A Git id of one repeated digit.
func objectID(_ digit: Character) throws -> ObjectID { try ObjectID(hex: String(repeating: digit, count: 40)) }
