// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// How passes are run.
public struct PassSettings: Sendable {
    /// How many images are built at the same time.
    public var builders = 2
    /// How long one layer may take.
    public var layerTimeout: Duration = .seconds(3_600)
    /// How long a check may take.
    public var verifyTimeout: Duration = .seconds(600)
    /// What sets passes off, for the record.
    public var trigger = "reconcile"
    /// The platform of images that name none.
    public var platform: Platform
    /// This host's name, for the record.
    public var host: String
    /// Whether this process may act on the repository; nil where no other one works on it.
    public var leadership: Leadership?
    /// Whether a pass that finds something to do waits until this process leads, in place of leaving it to the leader.
    public var waitsForLease = false
    /// Told the newest records of all images, whoever wrote them, before each pass acts on what it read.
    public var onRecords: @Sendable ([BuildRecord]) -> Void = { _ in }
    /// The moment.
    public var now: @Sendable () -> Timestamp
    /// Sees to it that there is room on the disk; nil builds without asking.
    public var disk: DiskKeeper?
    /// A new record id: 32 lower-case hexadecimal digits.
    public var makeID: @Sendable () -> String

    /// Settings with defaults for all but what depends on the machine.
    public init(
        platform: Platform, host: String, now: @escaping @Sendable () -> Timestamp,
        makeID: @escaping @Sendable () -> String
    ) {
        self.platform = platform
        self.host = host
        self.now = now
        self.makeID = makeID
    }

    /// The moment, but later than the image's newest record.
    ///
    /// Records are ordered by their start: two within a second, or of hosts whose clocks disagree, must not change
    /// places, or an old build would pass for the newest.
    func moment(after latest: BuildRecord?) -> Timestamp {
        let moment = now()
        guard let latest, latest.start >= moment else { return moment }
        return Timestamp(seconds: latest.start.seconds + 1)
    }
}
