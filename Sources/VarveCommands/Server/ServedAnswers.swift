// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A row of `GET images`.
struct ServedImage: Decodable {
    var name: String
    var status: String
    var built: String?
    var reference: String?
    var detail: String?
}

/// The parts of `GET images/{name}` from which its newest build is found.
struct ServedBuilds: Decodable {
    struct Running: Decodable { var build: String }
    struct Latest: Decodable { var id: String }
    var running: Running?
    var latest: Latest?
}

/// The parts of a record by which `--build` finds it.
struct ServedBuild: Decodable {
    var id: String
    var start: String
}

/// `GET plan`.
struct ServedPlan: Decodable {
    struct Image: Decodable {
        var name: String
        var action: String
        var reasons: [RebuildReason]
        var layers: [Layer]
        var cause: String?
    }

    struct Layer: Decodable {
        var kind: String
        var key: String?
        var action: String
        var platform: String?
    }

    struct Mistake: Decodable {
        var code: String
        var file: String
        var line: Int
        var column: Int
        var message: String
        var hint: String?
    }

    var images: [Image]
    var errors: [Mistake]
}

/// `GET queue`.
struct ServedQueue: Decodable {
    struct Running: Decodable {
        var image: String
        var step: String
        var start: String
    }

    struct Queued: Decodable {
        var image: String
        var owner: String
        var urgency: String
        var since: String
    }

    var running: [Running]
    var queued: [Queued]
    var suspended: [String]
}

/// `GET graph`.
struct ServedGraph: Decodable {
    struct Image: Decodable {
        var name: String
        var status: String
        var parent: String?
        var base: String?
        var layers: [String]
    }

    var images: [Image]
}
