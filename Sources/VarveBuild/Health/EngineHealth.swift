// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage
public import VarveModel

/// Looks whether this machine can build: the tools, and one real image in a store that is thrown away.
public struct EngineHealth: Sendable {
    private let stateDirectory: String
    private let isolation: Isolation
    private let host: HostEnvironment
    private let environment: [String: String]
    private let runner: CommandRunner

    /// A look at the machine; the store of the trial is made below the state directory.
    public init(stateDirectory: String, isolation: Isolation, environment: [String: String]) {
        self.stateDirectory = stateDirectory
        self.isolation = isolation
        self.environment = environment
        host = HostEnvironment(environment)
        runner = CommandRunner(redaction: host.redaction)
    }

    private struct Tool {
        var name: String
        var package: String
        /// What it is for where varve works without it.
        var optionalUse: String?
    }

    private var tools: [Tool] {
        [
            Tool(name: "buildah", package: "buildah"), Tool(name: "skopeo", package: "skopeo"),
            Tool(name: "unshare", package: "util-linux"), Tool(name: "setpriv", package: "util-linux"),
            Tool(name: "flock", package: "util-linux"),
            Tool(
                name: "runc", package: "runc",
                optionalUse: isolation == .chroot ? "isolation 'oci' and 'rootless'" : nil),
            Tool(name: "mmdebstrap", package: "mmdebstrap", optionalUse: "bootstrap bases"),
        ]
    }

    /// Checks the tools, then the engine.
    public func checks() async -> [HealthCheck] {
        var checks: [HealthCheck] = []
        for tool in tools { checks.append(await check(tool)) }
        checks.append(certificates)
        checks.append(await namespaceCheck())
        checks.append(await trial())
        return checks
    }

    private func check(_ tool: Tool) async -> HealthCheck {
        let name = "tool \(tool.name)"
        do {
            let result = try await runner.run(
                Command(tool.name, ["--version"], environment: host.tools, timeout: .seconds(30)))
            let line = result.text.split(separator: "\n").first.map(String.init) ?? result.tail.first ?? ""
            guard result.isSuccess else {
                return HealthCheck(
                    name, .failed, "'\(tool.name) --version' ended with \(result.status): \(line)",
                    remedy: "reinstall the package \(tool.package)")
            }
            return HealthCheck(name, .ok, line)
        } catch {
            let use = tool.optionalUse.map { "; without it there are no \($0)" } ?? ""
            return HealthCheck(
                name, tool.optionalUse == nil ? .failed : .warning, "\(error)" + use,
                remedy: "install it: apt install \(tool.package)")
        }
    }

    private var certificates: HealthCheck {
        guard let bundle = host.certificates else {
            return HealthCheck(
                "certificates", .warning, "no bundle of certificate authorities is found; every https address fails",
                remedy: "apt install ca-certificates, or set SSL_CERT_FILE")
        }
        return HealthCheck("certificates", .ok, bundle.string)
    }

    /// Steps run in a PID and a mount namespace of their own.
    private func namespaceCheck() async -> HealthCheck {
        let remedy =
            "run varve as root; in a container give it CAP_SYS_ADMIN and no seccomp or AppArmor profile that forbids mounts"
        do {
            let result = try await runner.run(
                Command("true", [], environment: host.tools, containment: .namespace, timeout: .seconds(30)))
            return result.isSuccess
                ? HealthCheck("namespaces", .ok, "a step can have its own processes and mounts")
                : HealthCheck(
                    "namespaces", .failed, "unshare: \(result.tail.last ?? "\(result.status)")", remedy: remedy)
        } catch {
            return HealthCheck("namespaces", .failed, "\(error)", remedy: remedy)
        }
    }

    /// Makes and commits an empty image.
    private func trial() async -> HealthCheck {
        let folder = stateDirectory + "/doctor-" + String(UInt64.random(in: .min ... .max), radix: 36)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            let store = try await BuildahStore.open(stateDirectory: folder, environment: environment)
            let buildah = Buildah(store: store, isolation: isolation, host: host, runner: runner)
            let container = try await buildah.check(["from", "scratch"], layer: nil, verb: "make a container")
            _ = try await buildah.check(
                ["commit", "--quiet", container, "localhost/doctor"], layer: nil, verb: "commit an image")
            _ = try await buildah.run(["rm", "--all"])
            _ = try await buildah.run(["rmi", "--all"])
            return HealthCheck(
                "engine", .ok, "\(try await buildah.version()) made an image, driver \(store.driver.rawValue)")
        } catch {
            return HealthCheck(
                "engine", .failed, "\(error)",
                remedy: "run varve as root, on a file system that can hold overlay layers (ext4, xfs, btrfs), "
                    + "in a container as deploy/README.md says")
        }
    }
}
