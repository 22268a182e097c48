// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import VarveModel

/// An OCI image layout: a directory that holds images for any tool to read.
///
/// Any number of processes may write at once: blobs are named by their content, and the index is replaced whole under a
/// lock. A crash leaves at most blobs that nothing names.
struct OCILayout: Hashable, Sendable {
    private let directory: DurableDirectory
    /// The blobs.
    let blobs: BlobDirectory

    /// A layout in a directory that may not exist yet.
    init(_ path: FilePath) {
        directory = DurableDirectory(path)
        blobs = BlobDirectory(directory.directory("blobs"))
    }

    /// Where it is.
    var path: FilePath { directory.path }

    /// Makes an empty layout, where there is none.
    func create() throws(BuildFailure) {
        try blobs.create()
        guard directory.size(of: "oci-layout") == nil else { return }
        try directory.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "oci-layout")
    }

    /// The index; empty where there is none yet.
    func index() throws(BuildFailure) -> LayoutIndex {
        let name = "index.json"
        guard let bytes = try directory.read(name) else { return LayoutIndex() }
        return try LayoutIndex(bytes, path: directory.path.appending(name).string)
    }

    /// What tells the present index from earlier ones; nil where there is none yet.
    var indexVersion: DurableDirectory.FileVersion? { directory.version(of: "index.json") }

    /// Changes the index while nobody else of varve does.
    ///
    /// The body sees what the last writer left.
    func updateIndex(_ body: (inout LayoutIndex) throws(BuildFailure) -> Void) throws(BuildFailure) {
        try directory.withLock("index.json.lock") { () throws(BuildFailure) in
            let before = try index()
            var after = before
            try body(&after)
            if after != before { try directory.write(after.encoded(), to: "index.json") }
        }
    }

    /// A manifest by its digest; nil where it is not there.
    ///
    /// - Throws: `BuildFailure` when it is damaged or no manifest.
    func manifest(_ digest: Digest) throws(BuildFailure) -> OCIManifest? {
        guard case .manifest(let manifest) = try document(digest) else { return nil }
        return manifest
    }

    /// A manifest or an index by its digest; nil where it is not there.
    ///
    /// - Throws: `BuildFailure` when it is damaged or neither.
    func document(_ digest: Digest) throws(BuildFailure) -> OCIDocument? {
        guard let bytes = try blobs.read(digest) else { return nil }
        return try OCIDocument(bytes, subject: "\(path)@\(digest)")
    }

    /// Whether a document and everything it names is there.
    func contains(_ document: OCIDocument) -> Bool {
        switch document {
        case .manifest(let manifest): contains(manifest)
        case .index(let index):
            blobs.contains(document.descriptor)
                && index.manifests.allSatisfy { ((try? manifest($0.digest)) ?? nil).map(contains) == true }
        }
    }

    /// Whether a manifest and everything it names is there.
    func contains(_ manifest: OCIManifest) -> Bool {
        blobs.contains(manifest.descriptor) && blobs.containsContent(of: manifest)
    }
}
