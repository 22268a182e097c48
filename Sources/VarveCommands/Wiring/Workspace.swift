// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Logging
import VarveBuild
import VarveGit
import VarveModel
import VarvePlan
import VarveReconcile

/// Where a command finds what it works on.
struct WorkspaceSettings {
    /// An absolute path or a URL.
    var repository: String
    /// The branch; nil follows `HEAD`.
    var branch: String?
    /// The state directory's absolute path.
    var stateDirectory: String
    /// `HOST/PREFIX` or `oci:` and an absolute path.
    var registry: String
    /// Registry hosts without TLS.
    var plainHTTPHosts: Set<String>
    /// How steps are isolated.
    var isolation: Isolation
    /// What a remote is shown.
    var credentials = GitCredentials()
    /// Who the notes' commits are from; nil takes Git's configuration.
    var identity: GitSignature?
    /// The bytes that builds need free, and those that caches may take.
    var disk = DiskLimits()
}

/// The parts that a command works with, made from its options.
struct Workspace {
    let state: StateDirectory
    let platform: Platform
    /// Whether the repository was given as a folder of this machine.
    let isLocal: Bool
    let repository: GitRepository
    let source: GitDefinitionSource
    let records: GitNotesRecordStore
    let journal: Journal
    let lease: GitLeaseStore
    private let destination: RegistryAddress
    private let access: RegistryAccess
    private let memory: RegistryMemory
    private let isolation: Isolation
    private let limits: DiskLimits
    private let environment = ProcessInfo.processInfo.environment

    init(_ global: GlobalOptions) async throws {
        try await self.init(
            WorkspaceSettings(
                repository: global.repository, branch: nil, stateDirectory: global.stateDirectory,
                registry: global.registry, plainHTTPHosts: Set(global.plainHTTPHosts),
                isolation: global.isolation.engine, disk: try DiskLimits.ofEnvironment()))
    }

    /// - Parameter memory: What lookups in registries learned; one for all that work in this process.
    init(_ settings: WorkspaceSettings, memory: RegistryMemory = RegistryMemory()) async throws {
        self.memory = memory
        platform = try Self.hostPlatform()
        let address = settings.repository
        isLocal = !GlobalOptions.isURL(address)
        if GlobalOptions.isURL(address) {
            // Without credentials: a token that is rotated must not orphan the journal.
            state = StateDirectory(
                path: settings.stateDirectory, repository: redacted(address).replacing("://***@", with: "://"))
            try state.prepare()
            source = try GitDefinitionSource(
                remote: address, cache: state.clone, branch: settings.branch, credentials: settings.credentials)
            repository = source.repository
        } else {
            repository = try GitRepository(discovering: address)
            state = StateDirectory(path: settings.stateDirectory, repository: repository.gitFolder)
            source = GitDefinitionSource(repository: repository, branch: settings.branch)
        }
        var options = GitNotesRecordStore.Options()
        options.credentials = settings.credentials
        options.author = settings.identity
        // The cache's configuration holds no credentials; the address that was given may.
        if GlobalOptions.isURL(address) { options.remote = .address(address) }
        records = try GitNotesRecordStore(repository: repository, options: options)
        journal = Journal(path: state.journal)
        options.deadline = .seconds(20)
        lease = try GitLeaseStore(repository: repository, options: options)
        destination = try RegistryAddress(settings.registry)
        access = RegistryAccess(plainHTTPHosts: settings.plainHTTPHosts)
        isolation = settings.isolation
        limits = settings.disk
    }

    /// What keeps room on the disk of the state directory; one for all that share it in this process.
    var disk: DiskKeeper {
        DiskKeeper(
            stateDirectory: state.path, limits: limits,
            caches: StateCaches(stateDirectory: state.path, environment: environment), now: passSettings.now)
    }

    /// The registry, over a store.
    private func registry(_ store: BuildahStore) -> SkopeoImageRegistry {
        SkopeoImageRegistry(
            address: destination, store: store, stateDirectory: state.path, access: access, environment: environment,
            memory: memory)
    }

    /// Whether images can be published.
    func registryChecks() async -> [HealthCheck] {
        await registry(BuildahStore(stateDirectory: state.path, driver: .overlay)).checks()
    }

    /// What commands read and plan with.
    var survey: Survey {
        // Reading touches no store, so none is opened.
        let store = BuildahStore(stateDirectory: state.path, driver: .overlay)
        return Survey(
            source: source, records: records, registry: registry(store), journal: journal, state: state,
            platform: platform)
    }

    /// How passes are run on this machine.
    var passSettings: PassSettings {
        PassSettings(
            platform: platform, host: ProcessInfo.processInfo.hostName,
            now: { Timestamp(seconds: time(nil)) },
            makeID: {
                // Time first, as in UUID version 7: records of one second stay in order.
                var moment = timespec()
                clock_gettime(CLOCK_REALTIME, &moment)
                let milliseconds = UInt64(moment.tv_sec) * 1_000 + UInt64(moment.tv_nsec) / 1_000_000
                var generator = SystemRandomNumberGenerator()
                return hexadecimal(milliseconds).suffix(12) + hexadecimal(generator.next() as UInt64)
                    + hexadecimal(generator.next() as UInt16)
            })
    }

    /// The right to act on the repository, of the process that has the state directory's lock.
    func leadership(holder: String?, length: Duration) throws -> Leadership {
        Leadership(
            lease,
            settings: LeaseSettings(
                holder: holder ?? ProcessInfo.processInfo.hostName, identity: try state.holderIdentity(),
                length: length))
    }

    /// The loop over these parts.
    func reconciler(
        settings: PassSettings, slots: BuildSlots? = nil, builds: LayerBuilds = LayerBuilds(),
        events: @escaping @Sendable (PassEvent) -> Void
    ) async throws -> Reconciler {
        let store = try await BuildahStore.open(stateDirectory: state.path, environment: environment)
        let registry = registry(store)
        try await registry.prepare()
        let engine = BuildahEngine(
            store: store, isolation: isolation, environment: environment, puller: registry.basePuller,
            cache: registry.layerCache, logger: Logger(label: "varve.engine"))
        return Reconciler(
            source: source, records: records, engine: engine, registry: registry, journal: journal, state: state,
            settings: settings, slots: slots, builds: builds, events: events)
    }

    /// Brings source and notes up to date for a command that reads; what is known locally will do where that fails.
    ///
    /// - Throws: when nothing is known locally.
    func refresh() async throws {
        do {
            try await source.fetch()
            try await records.fetch()
        } catch {
            guard try await source.tip() != nil else { throw error }
            Output.note("warning: the remote cannot be read now, showing what is known here: \(redacted("\(error)"))")
        }
    }

    /// The commits that `--rev` names.
    func commits(_ revision: String?) async throws -> (from: ObjectID?, to: ObjectID?) {
        guard let revision else { return (nil, nil) }
        guard let dots = revision.firstRange(of: "..") else { return (nil, try repository.resolve(revision)) }
        let ends = [revision[..<dots.lowerBound], revision[dots.upperBound...]].map { $0.isEmpty ? "HEAD" : String($0) }
        return (try repository.resolve(ends[0]), try repository.resolve(ends[1]))
    }

    /// Refuses names that no definition has.
    func check(_ names: [ImageName], in plan: Plan) throws {
        let known = plan.images.map(\.definition.name.value) + plan.invalid.map(\.name)
        for name in names where !known.contains(name.value) {
            throw CommandError("no image '\(name)'; see 'varve status'")
        }
    }
}

extension Workspace {
    /// The platform of this machine.
    static func hostPlatform() throws -> Platform {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: name.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let architectures = ["x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "i686": "386"]
        return try Platform("linux/" + (architectures[machine] ?? machine))
    }

    /// The repository of a folder, made where there is none.
    static func openOrInitialise(_ folder: String) throws -> GitRepository {
        if let repository = try? GitRepository(discovering: folder) { return repository }
        return try GitRepository(initializing: folder)
    }

    /// The working folder of the repository that the options name.
    static func workingFolder(_ options: GlobalOptions) throws -> String {
        let address = options.repository
        guard !GlobalOptions.isURL(address) else {
            throw CommandError("this command works on a folder, not on the URL '\(redacted(address))'")
        }
        guard let repository = try? GitRepository(discovering: address) else { return address }
        guard let folder = repository.workingFolder else {
            throw CommandError("repository '\(address)' is bare: it has no files to work on")
        }
        return folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }

    /// The files of the working folder as they stand.
    static func workingTree(_ options: GlobalOptions) throws -> WorkingFiles {
        let root = try workingFolder(options)
        return WorkingFiles(root: root, files: try WorkingTree(root))
    }
}

/// The files of a working folder, and how command-line paths map to them.
struct WorkingFiles {
    let root: String
    let files: WorkingTree

    /// A command-line path, relative to this folder or to the repository, as a path in the repository.
    func path(of argument: String) throws -> RepositoryPath {
        let absolute = GlobalOptions.absolute(argument)
        if absolute == root { return .root }
        if absolute.hasPrefix(root + "/") { return try RepositoryPath(String(absolute.dropFirst(root.count + 1))) }
        return try RepositoryPath(argument)
    }
}

extension IsolationMode {
    /// The engine's setting.
    var engine: Isolation {
        switch self {
        case .chroot: .chroot
        case .oci: .oci
        case .rootless: .rootless
        }
    }
}
