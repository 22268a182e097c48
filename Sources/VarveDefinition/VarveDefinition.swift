// SPDX-License-Identifier: Apache-2.0
public import VarveModel
public struct DefinitionReader: Sendable {
    public init(tree: any SourceTree, hostPlatform: Platform) {}
    public func readFleet() throws -> Fleet { Fleet(images: [], invalid: []) }
}
