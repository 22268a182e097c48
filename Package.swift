// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Each module's page for people who read its folder.
let pages = ["README.md"]

/// Targets without I/O also reject unsafe memory, so that no stray pointer can reach them.
let pureSettings = settings + [.strictMemorySafety()]

let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let hummingbird: [Target.Dependency] = ["Hummingbird", "HummingbirdCore", "HummingbirdTLS"].map {
    .product(name: $0, package: "hummingbird")
}
let networking: [Target.Dependency] = [
    .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "varve",
    products: [.executable(name: "varve", targets: ["varve"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2")),
        .package(url: "https://github.com/apple/swift-http-types", .upToNextMinor(from: "1.8.0")),
        .package(url: "https://github.com/apple/swift-log", .upToNextMinor(from: "1.16.2")),
        .package(url: "https://github.com/apple/swift-nio", .upToNextMinor(from: "2.101.2")),
        .package(url: "https://github.com/apple/swift-nio-extras", .upToNextMinor(from: "1.35.2")),
        .package(url: "https://github.com/apple/swift-nio-ssl", .upToNextMinor(from: "2.37.6")),
        .package(url: "https://github.com/hummingbird-project/hummingbird", .upToNextMinor(from: "2.28.1")),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", .upToNextMinor(from: "2.13.0")),
        .package(url: "https://github.com/swift-server/async-http-client", .upToNextMinor(from: "1.37.0")),
        .package(url: "https://github.com/swiftlang/swift-subprocess", .upToNextMinor(from: "1.0.2")),
        .package(url: "https://github.com/apple/swift-system", .upToNextMinor(from: "1.8.1")),
        .package(url: "https://github.com/jpsim/Yams", .upToNextMinor(from: "6.2.2")),
    ],
    targets: [
        .systemLibrary(name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
        .target(name: "VarveModel", exclude: pages, swiftSettings: pureSettings),
        .target(
            name: "VarveDefinition", dependencies: ["VarveModel", yams], exclude: pages, swiftSettings: pureSettings
        ),
        .target(name: "VarvePlan", dependencies: ["VarveModel", crypto], exclude: pages, swiftSettings: pureSettings),
        .target(
            name: "VarveGit", dependencies: ["CGit2", "VarveModel", crypto], exclude: pages, swiftSettings: settings
        ),
        .target(
            name: "VarveBuild",
            dependencies: [
                "VarveModel", asyncHTTPClient, crypto, logging, subprocess, systemPackage,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: pages,
            swiftSettings: settings
        ),
        .target(
            name: "VarveReconcile",
            dependencies: ["VarveModel", "VarveDefinition", "VarvePlan", logging],
            exclude: pages,
            swiftSettings: settings
        ),
        .target(
            name: "VarveServer",
            dependencies: [
                "VarveModel", "VarveDefinition", "VarvePlan", "VarveReconcile", asyncHTTPClient, crypto, logging,
            ] + hummingbird + networking,
            exclude: pages,
            swiftSettings: settings
        ),
        .target(
            name: "VarveCommands",
            dependencies: [
                "VarveModel", "VarveDefinition", "VarvePlan", "VarveGit", "VarveBuild", "VarveReconcile", "VarveServer",
                argumentParser, asyncHTTPClient, logging,
            ],
            exclude: pages,
            swiftSettings: settings
        ),
        .executableTarget(name: "varve", dependencies: ["VarveCommands", argumentParser], swiftSettings: settings),
        .target(
            name: "VarveTestSupport",
            dependencies: ["VarveModel", crypto, subprocess, systemPackage],
            exclude: pages,
            swiftSettings: settings
        ),
        .target(
            name: "VarveFuzz",
            dependencies: ["VarveModel", "VarveDefinition", "VarveTestSupport"],
            path: "Tests/Fuzz",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "varve-bench",
            dependencies: ["VarveModel", "VarveGit", "VarveReconcile", "VarveFuzz"],
            path: "Tests/Bench",
            exclude: ["bench.py", "fleet.py"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "UnitTests",
            dependencies: [
                "VarveModel", "VarveDefinition", "VarvePlan", "VarveBuild", "VarveReconcile", "VarveServer",
                "VarveTestSupport", "VarveFuzz",
            ],
            path: "Tests/Unit",
            swiftSettings: settings
        ),
        .testTarget(
            name: "ComponentTests",
            dependencies: [
                "VarveModel", "VarveGit", "VarveBuild", "VarveReconcile", "VarveServer", "VarveCommands",
                "VarveTestSupport",
            ],
            path: "Tests/Component",
            swiftSettings: settings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "VarveModel", "VarveDefinition", "VarvePlan", "VarveGit", "VarveBuild", "VarveReconcile", "VarveServer",
                "VarveTestSupport", asyncHTTPClient, logging,
            ] + hummingbird + networking,
            path: "Tests/Interop",
            exclude: ["VarveDefinition/corpus-errors.tsv"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["VarveModel", "VarveTestSupport", "varve"],
            path: "Tests/EndToEnd",
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
