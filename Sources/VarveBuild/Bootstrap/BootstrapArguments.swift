// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The command line that makes a base of a distribution's packages.
struct BootstrapArguments: Hashable, Sendable {
    /// The arguments of `mmdebstrap`.
    var arguments: [String]
    /// The keyring that the distribution signs with.
    var keyring: String
    /// The package of the host that has the keyring.
    var keyringPackage: String
    /// Variables of `mmdebstrap` and its hooks beside varve's own.
    var environment: [String: String] = [:]

    /// The command line of a specification, written to `target`.
    ///
    /// Suite, mirror and packages are checked here too: to the tool, a mirror can be a file of the host and a package a
    /// pattern or a path.
    ///
    /// - Throws: `BuildFailure` of class `definition` when a part is not well formed or the distribution is not known.
    init(_ specification: BootstrapSpecification, platform: Platform, target: String) throws {
        switch specification.distribution {
        case "debian":
            (keyring, keyringPackage) = (Self.keyrings + "debian-archive-keyring.gpg", "debian-archive-keyring")
        case "ubuntu": (keyring, keyringPackage) = (Self.keyrings + "ubuntu-archive-keyring.gpg", "ubuntu-keyring")
        default: throw Self.failure("distribution", specification.distribution, "expected debian or ubuntu")
        }
        guard Self.isWord(specification.suite, "-.") else {
            throw Self.failure("suite", specification.suite, "expected the code name of a release")
        }
        for package in specification.packages where !Self.isWord(package, "+-.:=~") {
            throw Self.failure("package", package, "expected the name of a package")
        }
        arguments = ["--variant=minbase", "--format=tar", "--quiet", "--keyring=\(keyring)"]
        arguments += ["--architectures=\(Self.architecture(platform))"]
        if !specification.packages.isEmpty {
            arguments.append("--include=" + specification.packages.joined(separator: ","))
        }
        arguments += ["--aptopt=APT::Update::Error-Mode \"any\"", "--aptopt=Acquire::Retries \"3\""]
        arguments.append("--skip=output/dev")
        if let user = specification.user {
            guard BootstrapSpecification.isUserName(user) else {
                throw Self.failure("user", user, BootstrapSpecification.userNameRule)
            }
            environment[Self.userVariable] = user
            arguments.append("--customize-hook=" + Self.creation)
        }
        arguments += ["--customize-hook=" + Self.cleaning, "--", specification.suite, target]
        if let mirror = specification.mirror {
            guard mirror.hasPrefix("http://") || mirror.hasPrefix("https://"), !mirror.contains("@"),
                mirror.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else {
                throw Self.failure("mirror", mirror, "expected an http or https URL without credentials")
            }
            arguments.append(mirror)
        } else if specification.distribution == "ubuntu" {
            // Ubuntu keeps all but the architectures of PCs on another host.
            let isPrimary = ["amd64", "386"].contains(platform.architecture)
            arguments.append(
                isPrimary ? "http://archive.ubuntu.com/ubuntu" : "http://ports.ubuntu.com/ubuntu-ports")
        }
    }

    private static let keyrings = "/usr/share/keyrings/"

    /// How the hook learns the user's name, which is part of no shell line.
    private static let userVariable = "VARVE_USER"

    /// Creates the user of fixed ids, without a password; the day of its last change follows `SOURCE_DATE_EPOCH`.
    private static let creation =
        #"chroot "$1" useradd --uid 1000 --user-group --create-home --no-log-init "#
        + #"--shell "$(test -x "$1/bin/bash" && echo /bin/bash || echo /bin/sh)" -- "$VARVE_USER" && "#
        + #"cd "$1/etc" && rm -f passwd- group- shadow- gshadow- subuid- subgid- .pwd.lock"#

    /// Removes what tells of the host or of the time, before the tar is made.
    private static let cleaning =
        #"cd "$1" && rm -rf etc/hostname etc/resolv.conf etc/machine-id var/lib/dbus/machine-id "#
        + #"etc/apt/apt.conf.d/99mmdebstrap var/log/apt var/log/*.log var/cache/apt/*.bin var/cache/ldconfig/aux-cache "#
        + #"var/cache/debconf/*-old var/lib/dpkg/*-old"#

    private static func isWord(_ text: String, _ others: String) -> Bool {
        guard let first = text.utf8.first, isLowerAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isLowerAlphanumeric(byte) || (0x41...0x5a).contains(byte) || others.utf8.contains(byte)
        }
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func architecture(_ platform: Platform) -> String {
        switch (platform.architecture, platform.variant) {
        case ("386", _): "i386"
        case ("arm", "v7"): "armhf"
        case ("arm", _): "armel"
        case ("ppc64le", _): "ppc64el"
        default: platform.architecture
        }
    }

    private static func failure(_ part: String, _ value: String, _ rule: String) -> BuildFailure {
        BuildFailure(.definition, layer: .base, message: "failed to bootstrap \(part) '\(value)': \(rule)")
    }
}
