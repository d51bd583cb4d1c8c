/**
 * A process that makes a backup or restores one, and is killed meanwhile. Its arguments are what it does, a connect string, the
 * path, the file, and which znodes a restore overwrites. It prints `begun` when it is connected, and then a line for each step.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Backup, type OnProgress, Restore, TreeSource } from "../../src/index.ts"

const [action = "", servers = "", path = "", file = "", rule = ""] = process.argv.slice(2)

// Few requests at a time, so that it takes a while.
const concurrency = 4

const overwrite = rule === "older" ? "older" : "always"

const onProgress: OnProgress = ({ done, phase }) => {
  process.stdout.write(`${phase} ${done}\n`)
}

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* Console.log("begun")
  if (action === "backup") yield* Backup.make(zk, file, { path, concurrency, onProgress })
  else yield* Restore.run(yield* TreeSource.backup(file), zk, { path, concurrency, onProgress, overwrite })
})

await program.pipe(
  Effect.provide(ZooKeeper.layer({ servers, sessionTimeout: "10 seconds" })),
  Effect.provide(NodeFileSystem.layer),
  Effect.runPromise
)
