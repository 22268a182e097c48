// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// What happens during a pass, told as it happens.
public enum PassEvent: Sendable {
    /// A pass begins to read.
    case began
    /// Somebody asked for something through the API, which was taken.
    case asked(Request)
    /// Definitions are read and compared; this many images are to be built.
    case planned(commit: ObjectID, images: Int, toBuild: Int)
    /// An image's build begins, for these reasons; its log is written to this file.
    case imageStarted(ImageName, reasons: [RebuildReason], log: String)
    /// A layer is being executed.
    case layerStarted(ImageName, LayerKind, LayerKey)
    /// One line of a running layer's output, redacted.
    case output(ImageName, LayerKind, String)
    /// A layer is finished: executed, or found under its key.
    case layerFinished(ImageName, LayerRecord)
    /// The check of the finished image begins.
    case verifyStarted(ImageName)
    /// The finished image is being published.
    case publishStarted(ImageName)
    /// An image is done with: built, failed, adopted or retired.
    case imageFinished(BuildRecord)
    /// An image is left alone because its base is broken, or its definition is.
    case imageSkipped(name: String, status: ImageStatus, cause: String)
    /// A definition cannot be used.
    case invalid(InvalidDefinition)
    /// Something that a person should know and that did not stop the pass.
    case warning(String)
    /// The pass is over.
    case finished(PassResult)
}

/// What somebody asked a running loop for.
public struct Request: Hashable, Sendable {
    /// The kinds of requests.
    public enum Action: String, Codable, Hashable, Sendable {
        case rebuild, stop, suspend, resume, reconcile
    }

    /// What is to be done.
    public var action: Action
    /// The image; nil for all of the repository.
    public var image: ImageName?
    /// The lowest layer to execute anew, of a rebuild.
    public var layer: LayerKind?
    /// Who asked.
    public var user: String

    /// A request.
    public init(_ action: Action, of image: ImageName? = nil, from layer: LayerKind? = nil, by user: String) {
        self.action = action
        self.image = image
        self.layer = layer
        self.user = user
    }
}

/// How a pass ended.
public struct PassResult: Hashable, Sendable {
    /// The commit that was reconciled; nil for a repository without one.
    public var commit: ObjectID?
    /// Images that were built and published.
    public var built: [ImageName] = []
    /// Images that failed.
    public var failed: [ImageName] = []
    /// Images that are blocked by their base.
    public var blocked: [ImageName] = []
    /// Images whose definition cannot be used, by name or folder.
    public var invalid: [String] = []
    /// Images that are as they should be.
    public var unchanged = 0
    /// Records that could not be sent yet; they are kept in the journal.
    public var unsent = 0
    /// Whether the pass was stopped before its end.
    public var isCancelled = false
    /// Who leads, where that is another process and there is something to do, which is left to it.
    public var leader: String?

    /// A pass that has done nothing yet.
    public init(commit: ObjectID?) { self.commit = commit }

    /// Whether everything is as the definitions say.
    public var isGood: Bool { failed.isEmpty && blocked.isEmpty && invalid.isEmpty && !isCancelled && leader == nil }
}
