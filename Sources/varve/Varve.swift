// SPDX-License-Identifier: Apache-2.0

import VarveCommands

@main
enum Varve {
    static func main() async {
        await VarveCommand.main()
    }
}
