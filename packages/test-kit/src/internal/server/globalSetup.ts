/**
 * Starts the shared server before a run of vitest and stops it after.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { TestProject } from "vitest/node"
// Declares what is provided.
import type * as _TestServer from "../../TestServer.ts"
import { reportedRelease } from "../../Release.ts"
import { ZooKeeperServerError } from "../../ZooKeeperError.ts"
import * as ZooKeeperServer from "../../ZooKeeperServer.ts"

/**
 * A long run has trees of 100,000 znodes, which fill the 128 MiB of a short one: its server would do nothing but
 * collect.
 */
const options: ZooKeeperServer.Options = process.env["ZK_LONG"] === "1" ? { heapMegabytes: 512 } : {}

/** The server, and the release that it reports itself: tests of newer operations ask for that. */
const start = Effect.gen(function* () {
  const { connectString, fourLetterWord } = yield* ZooKeeperServer.make(options)
  const release = reportedRelease(yield* fourLetterWord("srvr"))
  if (release !== undefined) return { connectString, release }
  const reason = "it does not say which release it is"
  return yield* new ZooKeeperServerError({ server: `ZooKeeper server ${connectString}`, action: "srvr", reason })
})

/** Called by vitest; what it returns is called at the end of the run. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const scope = Scope.makeUnsafe()
  const started = await Effect.runPromiseExit(Scope.provide(start, scope))
  if (Exit.isFailure(started)) {
    await Effect.runPromise(Scope.close(scope, started))
    const error = new Error(
      Cause.prettyErrors(started.cause)
        .map(({ message }) => message)
        .join("; ")
    )
    // One clear line that says what to do: where in this file it was thrown helps no reader.
    delete error.stack
    throw error
  }
  project.provide("zookeeper", started.value.connectString)
  project.provide("zookeeperRelease", started.value.release)
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}
