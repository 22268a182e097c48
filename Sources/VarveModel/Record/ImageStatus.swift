// SPDX-License-Identifier: Apache-2.0

/// The state of an image.
///
/// The first five are Saturn Cloud's words.
public enum ImageStatus: String, Codable, CaseIterable, Hashable, Sendable {
    /// Something is to be built and nothing has begun.
    case pending
    /// Layers are being built or the image is being published.
    case building
    /// The newest definition is built and published.
    case built
    /// The newest attempt failed; the last good image stays published.
    case error
    /// A person asked to stop, and the running layer is being ended.
    case stopping
    /// The definition cannot be read.
    case invalid
    /// The base is broken or not published yet.
    case blocked
    /// The definition says `suspend: true`.
    case suspended
    /// The definition is gone; the published image stays.
    case retired
    /// The definition stands on another commit than the one it was built from, with the same meaning.
    case adopted
}
