// SPDX-License-Identifier: Apache-2.0
@main
enum Varve {
    static func main() {}
}
