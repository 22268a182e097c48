// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Checks the platforms of images against their bases and their locked packages.
enum PlatformCheck {
    /// Adds what keeps images from being built for their platforms to their diagnostics.
    static func check(_ images: inout [ReadImage]) {
        let platforms = Dictionary(
            images.compactMap { image in image.definition.map { (image.name, Set($0.platforms)) } },
            uniquingKeysWith: { first, _ in first })
        for index in images.indices {
            guard let definition = images[index].definition else { continue }
            if case .image(let base) = definition.base, let given = platforms[base.value] {
                for platform in definition.platforms where !given.contains(platform) {
                    FleetCheck.report(
                        .basePlatform, at: images[index].platformsPlace,
                        "the base \(quoted(base.value)) is not built for \(platform), only for "
                            + given.sorted().map(\.description).joined(separator: ", "),
                        hint: "give both images the same 'platforms'", on: &images[index]
                    )
                }
            }
            reportLocked(definition, on: &images[index])
        }
    }

    /// Locked packages are of one platform, but for those that run anywhere.
    private static func reportLocked(_ definition: ImageDefinition, on image: inout ReadImage) {
        let subdirs = Set((definition.build.conda?.explicit ?? []).compactMap(subdir)).subtracting(["noarch"])
        for platform in definition.platforms where !subdirs.isSubset(of: [platform.condaSubdir]) {
            FleetCheck.report(
                .lockedPlatform, at: image.platformsPlace,
                "the locked conda packages are for \(subdirs.sorted().map { quoted($0) }.joined(separator: ", ")), "
                    + "and the image is built for \(platform) too",
                hint: "take an environment.yml for several platforms, or make an image for each", on: &image
            )
            return
        }
    }

    /// `linux-64` of `https://conda.anaconda.org/conda-forge/linux-64/NAME.conda#HASH`.
    private static func subdir(_ url: String) -> String? {
        url.prefix { $0 != "#" }.split(separator: "/").dropLast().last.map(String.init)
    }
}
