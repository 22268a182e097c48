// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveModel

/// What stands under which name of a layout, read again only after the index was replaced.
///
/// A fleet asks for each of its images, and the index names all of them.
final class LayoutNames: Sendable {
    private let layout: OCILayout
    private let known = Mutex<Known?>(nil)

    /// The names of a layout.
    init(_ layout: OCILayout) { self.layout = layout }

    /// The manifest under `NAME:TAG`; nil where there is none.
    ///
    /// - Throws: `BuildFailure` when the index cannot be read.
    func digest(under name: String) throws(BuildFailure) -> Digest? { try current().digests[name] }

    /// Whether a manifest stands under a tag of an image.
    ///
    /// - Throws: `BuildFailure` when the index cannot be read.
    func hold(_ digest: Digest, image: ImageName) throws(BuildFailure) -> Bool {
        try current().tagged.contains("\(image)@\(digest)")
    }

    private struct Known: Sendable {
        var version: DurableDirectory.FileVersion?
        var digests: [String: Digest]
        var tagged: Set<String>
    }

    private func current() throws(BuildFailure) -> Known {
        let version = layout.indexVersion
        if let known = known.withLock({ $0 }), known.version == version { return known }
        let digests = try layout.index().digests
        let tagged = digests.compactMap { name, digest in
            name.lastIndex(of: ":").map { "\(name[..<$0])@\(digest)" }
        }
        let current = Known(version: version, digests: digests, tagged: Set(tagged))
        known.withLock { $0 = current }
        return current
    }
}
