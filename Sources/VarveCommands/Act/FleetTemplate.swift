// SPDX-License-Identifier: Apache-2.0

import VarveDefinition

/// The text of a new `varve.yaml`: every key as a comment, so that the file changes nothing yet.
enum FleetTemplate {
    static let text = """
        # yaml-language-server: $schema=\(JSONSchema.fleetPath)
        # What holds for all images of this repository. Each key is optional: take the '#' off those that you want.

        # Who can own images, each group with its members; without this, any group can.
        #groups:
        #  platform: [ann, bob]

        # What holds for each image that does not say it itself: keys of image.yaml.
        #defaults:
        #  owner: group/platform
        #  env: {TZ: UTC}

        # The folders below which images lie; without this, the whole repository.
        #definitions: [images]

        # What every image must keep to: the registry references it can stand on, its size in the registry, an owner.
        #policy:
        #  bases: ['docker.io/library/*']
        #  maximumSize: 4GB
        #  requireOwner: true

        """
}
