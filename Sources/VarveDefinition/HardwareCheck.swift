// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Checks images of `hardware: gpu`.
enum HardwareCheck {
    /// Adds what keeps images from using a GPU to their diagnostics.
    static func check(_ images: inout [ReadImage]) {
        let hardware = Dictionary(
            images.compactMap { image in image.definition.map { (image.name, $0.hardware) } },
            uniquingKeysWith: { first, _ in first })
        for index in images.indices {
            guard let definition = images[index].definition, definition.hardware == .gpu else { continue }
            if let cause = lack(of: definition.base, hardware) {
                FleetCheck.report(
                    .gpuBase, at: images[index].basePlace,
                    "an image of hardware gpu needs a base with CUDA; \(cause)",
                    hint: "expected an image with CUDA, or one of this repository with 'hardware: gpu'",
                    on: &images[index]
                )
            }
            // Such an image builds and runs, and nobody notices but by its speed.
            for found in cpuBuilds(in: definition.build) {
                FleetCheck.report(
                    .cpuBuild, at: images[index].hardwarePlace,
                    "\(quoted(found)) is built for the CPU alone, in an image of hardware gpu",
                    hint: "name a build for CUDA, or give the image 'hardware: cpu'", on: &images[index]
                )
            }
        }
    }

    /// Why a base has no CUDA; of a registry's image only the plan can tell.
    private static func lack(of base: BaseSpecification, _ hardware: [String: Hardware]) -> String? {
        switch base {
        case .bootstrap: "a bootstrap has none"
        case .image(let name) where hardware[name.value] == .cpu:
            "\(quoted(name.value)) is an image of hardware cpu"
        default: nil
        }
    }

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
    private static func cpuBuilds(in build: BuildData) -> [String] {
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
