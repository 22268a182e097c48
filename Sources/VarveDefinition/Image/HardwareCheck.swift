// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Finds what an image of `hardware: gpu` would install in a build for the CPU alone.
///
/// Such an image builds and runs, and nobody notices but by its speed.
enum HardwareCheck {
    /// The names of conda packages that exist for the CPU alone, or choose builds for it.
    private static let condaNames: Set<String> = [
        "cpuonly", "pytorch-cpu", "tensorflow-cpu", "tensorflow-mkl", "tensorflow-eigen", "jaxlib-cpu",
    ]

    /// Packages with builds for CPU and GPU, and what the names of those for the CPU hold.
    private static let condaBuilds: [String: [String]] = [
        "pytorch": ["cpu"], "libtorch": ["cpu"], "torchvision": ["cpu"], "torchaudio": ["cpu"],
        "tensorflow": ["cpu", "mkl", "eigen"], "tensorflow-base": ["cpu", "mkl", "eigen"], "jaxlib": ["cpu"],
    ]

    /// The dependencies, requirements and options that are for the CPU alone, as the canonical content has them.
    static func cpuBuilds(in build: BuildData) -> [String] {
        (build.conda?.dependencies.filter(isForCPU(dependency:)) ?? [])
            + [build.conda?.pip, build.pip].compactMap { $0 }.flatMap { pip in
                pip.options.filter(isForCPU(option:)) + pip.requirements.filter(isForCPU(requirement:))
            }
    }

    private static func isForCPU(dependency: String) -> Bool {
        let spec = dependency.utf8.split(separator: UInt8(ascii: ":")).last.map { String(Substring($0)) } ?? dependency
        let name = String(spec.prefix { !" =<>!~[".contains($0) })
        if condaNames.contains(name) { return true }
        let rest = spec.dropFirst(name.count).lowercased()
        return condaBuilds[name]?.contains { rest.contains($0) } ?? false
    }

    private static func isForCPU(requirement: String) -> Bool {
        let name = requirement.prefix { !" =<>!~[@;".contains($0) }
        if ["tensorflow-cpu", "tf-nightly-cpu"].contains(name) { return true }
        guard ["torch", "torchvision", "torchaudio"].contains(name) else { return false }
        let specifier = requirement.dropFirst(name.count).prefix { $0 != ";" }
        // A local version (PEP 440), also inside the name of a wheel, where `+` may stand as `%2B`.
        return ["+cpu", "%2bcpu"].contains { specifier.lowercased().contains($0) }
    }

    private static func isForCPU(option: String) -> Bool {
        option.split { " '\"=".contains($0) }.contains { word in
            word.contains("://") && (word.hasSuffix("/whl/cpu") || word.hasSuffix("/whl/cpu/"))
        }
    }
}
