// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// Tags of an image that do not stand on its last recorded build.
struct StrayingTags: Sendable {
    /// The last recorded build.
    var record: BuildRecord
    /// Its manifest.
    var manifest: Digest
    /// The tags.
    var tags: [String]
}

extension Reconciler {
    /// The tags of all images that do not stand where the records say.
    ///
    /// A registry knows nothing of leases: a process that was stopped between its last look at the lease and the moving of
    /// a tag, and went on after another one had built something newer, moves the tag back. An image that is to be
    /// built is left out: building it sets its tags.
    func strayingTags(of plan: Plan) async -> [StrayingTags] {
        var open = plan.images.compactMap(published)[...]
        return await withTaskGroup(of: Result<StrayingTags, BuildFailure>.self) { group in
            func next() {
                guard let image = open.popFirst() else { return }
                group.addTask {
                    do throws(BuildFailure) {
                        return .success(try await straying(among: image))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for _ in 0..<4 { next() }
            var result: [StrayingTags] = []
            while let found = await group.next() {
                switch found {
                case .success(let image): if !image.tags.isEmpty { result.append(image) }
                case .failure(let failure):
                    // A registry that cannot be asked is not asked for the rest.
                    if !open.isEmpty { open = [] }
                    events(.warning("cannot tell what the tags stand on: \(redacted(failure.message))"))
                }
                next()
            }
            return result.sorted { $0.record.image < $1.record.image }
        }
    }

    /// The last recorded build of an image, with all tags that were moved to it and are still wanted.
    private func published(_ plan: ImagePlan) -> StrayingTags? {
        guard plan.action == .none || plan.action == .blocked, let record = plan.lastGood,
            let manifest = record.manifestDigest, !record.tags.isEmpty,
            record.location == registry.location(of: record.image)
        else { return nil }
        if case .external = plan.definition.base { return nil }
        let wanted = ["latest"] + plan.definition.tags
        return StrayingTags(record: record, manifest: manifest, tags: record.tags.filter { wanted.contains($0) })
    }

    private func straying(among image: StrayingTags) async throws(BuildFailure) -> StrayingTags {
        var result = image
        result.tags = []
        for tag in image.tags {
            do {
                let found = try await registry.digest(of: image.record.image, tag: tag)
                if found != image.manifest { result.tags.append(tag) }
            } catch let failure as BuildFailure {
                throw failure
            } catch {
                throw BuildFailure(.unknown, message: redacted("\(error)"))
            }
        }
        return result
    }

    /// Puts tags back onto the last recorded build.
    func putRight(_ straying: [StrayingTags]) async {
        for image in straying {
            let name = image.record.image
            let tags = image.tags.joined(separator: ", ")
            do {
                try await settings.leadership?.confirm()
                // The first tag of a record is the one that is never moved.
                try await registry.retag(
                    name, manifest: image.manifest, buildTag: image.record.tags[0], moving: image.tags)
                events(.warning("\(name): \(tags) did not stand on the last recorded build and is put right"))
            } catch {
                events(.warning("\(name): \(tags) cannot be put right now: \(redacted("\(error)"))"))
            }
        }
    }
}
