// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveCommands

@main
enum Varve {
    static func main() async {
        ignoreBrokenPipes()
        await VarveCommand.main()
    }
}
