// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import VarveModel

/// A directory of blobs named by their digests, as the OCI image layout has it: `blobs/sha256/<hex>`.
///
/// A blob appears whole or not at all. What is read is checked against its digest.
struct BlobDirectory: Hashable, Sendable {
    private let directory: DurableDirectory

    /// The blobs below a directory that is named `blobs`.
    init(_ directory: DurableDirectory) { self.directory = directory.directory("sha256") }

    /// Makes the directory, where it is not there.
    func create() throws(BuildFailure) { try directory.create() }

    /// The folder that the blobs stand in.
    var folder: FilePath { directory.path }

    /// Where a blob is, or would be.
    func path(of digest: Digest) -> FilePath { directory.path.appending(digest.hex) }

    /// Whether a blob of this digest and size is there.
    ///
    /// Its bytes are not read.
    func contains(_ descriptor: OCIDescriptor) -> Bool { directory.size(of: descriptor.digest.hex) == descriptor.size }

    /// Whether the config and all layers of a manifest are there, with the sizes it names.
    func containsContent(of manifest: OCIManifest) -> Bool {
        contains(manifest.config) && manifest.layers.allSatisfy(contains)
    }

    /// The bytes of a blob; nil where there is none.
    ///
    /// - Throws: `BuildFailure` of class `environment` when the bytes are not those that the digest names.
    func read(_ digest: Digest, limit: Int = OCIDocument.sizeLimit) throws(BuildFailure) -> [UInt8]? {
        guard let bytes = try directory.read(digest.hex, limit: limit) else { return nil }
        guard Digest.of(bytes) == digest else { throw damaged(digest) }
        return bytes
    }

    /// Keeps bytes under their digest.
    func write(_ bytes: [UInt8], as digest: Digest) throws(BuildFailure) {
        if let present = try? read(digest, limit: bytes.count), present == bytes { return }
        try directory.write(bytes, to: digest.hex)
    }

    /// Takes in a file, by its name alone where it is on the same file system, after checking its bytes.
    ///
    /// - Throws: `BuildFailure` of class `environment` when the bytes are not those that the digest names.
    @concurrent
    func link(_ file: FilePath, as descriptor: OCIDescriptor) async throws(BuildFailure) {
        guard !contains(descriptor) else { return }
        let digest: Digest
        do {
            digest = try Digest.ofFile(at: file)
        } catch {
            throw DurableDirectory.failure("read", file, error)
        }
        guard digest == descriptor.digest else { throw damaged(descriptor.digest) }
        try adopt(file, as: descriptor)
    }

    /// Takes in a file as `link(_:as:)` does, where whoever reads it next checks its bytes.
    func adopt(_ file: FilePath, as descriptor: OCIDescriptor) throws(BuildFailure) {
        guard !contains(descriptor) else { return }
        try directory.link(file, as: descriptor.digest.hex)
    }

    /// Makes the names of the blobs durable, before anything points at them.
    func sync() throws(BuildFailure) { try directory.sync() }

    private func damaged(_ digest: Digest) -> BuildFailure {
        BuildFailure(
            .environment,
            message: "failed to read blob '\(path(of: digest))': its bytes have another digest; the file is damaged"
        )
    }
}
