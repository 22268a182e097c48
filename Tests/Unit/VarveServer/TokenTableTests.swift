// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveServer

/// Who a bearer token belongs to.
@Suite
struct TokenTableTests {
    private static func principal(_ user: String) -> Principal {
        Principal(user: user, name: user, email: nil, groups: [], scopes: [.read])
    }

    @Test
    func tokenIsKnownByItsHashAlone() throws {
        var table = TokenTable()
        let tokens = (0..<3).map { _ in AccessToken() }
        for (index, token) in tokens.enumerated() {
            let isAdded = table.add(sha256: token.sha256, Self.principal("user\(index)"))
            #expect(isAdded)
        }
        for (index, token) in tokens.enumerated() {
            #expect(table.principal(authorization: "Bearer \(token.text)")?.user == "user\(index)")
            #expect(table.principal(authorization: "bearer  \(token.text)")?.user == "user\(index)")
            #expect(table.principal(authorization: "Bearer \(token.sha256)") == nil)
            #expect(table.principal(authorization: "Bearer \(token.text)x") == nil)
            #expect(table.principal(authorization: "Basic \(token.text)") == nil)
            #expect(table.principal(authorization: token.text) == nil)
        }
    }

    @Test(arguments: [nil, "", "Bearer", "Bearer ", "Bearer \u{0}", String(repeating: "x", count: 100_000)])
    func anythingElseIsNobody(_ header: String?) {
        var table = TokenTable()
        let isAdded = table.add(sha256: AccessToken().sha256, Self.principal("ada"))
        #expect(isAdded)
        #expect(table.principal(authorization: header) == nil)
    }

    @Test
    func tokensAreNeverTheSame() {
        let tokens = Set((0..<100).map { _ in AccessToken().text })
        #expect(tokens.count == 100 && tokens.allSatisfy { $0.hasPrefix("varve_") && $0.count == 49 })
    }

    @Test(arguments: ["", "00", String(repeating: "g", count: 64), String(repeating: "٠", count: 64)])
    func hashThatIsNoneIsRefused(_ text: String) {
        var table = TokenTable()
        let isAdded = table.add(sha256: text, Self.principal("ada"))
        #expect(!isAdded)
    }
}
