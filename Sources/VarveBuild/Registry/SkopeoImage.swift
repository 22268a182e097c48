// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// An image as skopeo names it.
enum SkopeoImage: Hashable, Sendable {
    /// In a registry.
    case registry(ImageReference)
    /// In a layout, under the name in its index.
    case layout(OCILayout, name: String)
    /// In the engine's store, by a local name or by `@` and the config digest's digits.
    case store(BuildahStore, name: String)

    /// The name with its transport.
    var argument: String {
        switch self {
        case .registry(let reference):
            // skopeo refuses a reference with both; the digest is the stronger.
            "docker://" + (reference.digest.map { reference.pinned(to: $0) } ?? reference).description
        case .layout(let layout, let name): "oci:\(layout.path):\(name)"
        case .store(let store, let name): store.reference(name)
        }
    }

    /// The registry's host, where it is in one.
    var host: String? {
        guard case .registry(let reference) = self else { return nil }
        return reference.host
    }

    /// The store, where it is in one.
    var store: BuildahStore? {
        guard case .store(let store, _) = self else { return nil }
        return store
    }

    /// How a message names it.
    var subject: String {
        switch self {
        case .registry(let reference): reference.description
        case .layout(let layout, let name): "oci:\(layout.path):\(name)"
        case .store(_, let name): name
        }
    }
}
