/**
 * A process that starts a server, tells about it, and waits to be killed.
 */
import * as Effect from "effect/Effect"
import * as ZooKeeperServer from "../../src/ZooKeeperServer.ts"
import { inScope } from "../../src/Expectations.ts"

Effect.runFork(
  inScope(function* () {
    const server = yield* ZooKeeperServer.make()
    const pid = yield* server.pid
    process.stdout.write(`${JSON.stringify({ pid, folder: server.folder })}\n`)
    yield* Effect.never
  })
)
