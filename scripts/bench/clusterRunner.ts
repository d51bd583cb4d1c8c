/**
 * A runner that is killed: it acquires shards, says so, and refreshes them until then. Its arguments are the kind of the
 * storage, where that is, the expiration in milliseconds, and how many shards it wants.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Runner from "effect/cluster/Runner"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { addressOf, isKind, shardsUpTo, storageOf } from "./clusterStorage.ts"

const [kind = "", at = "", expiration = "", count = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const storage = yield* RunnerStorage
  const address = addressOf(1)
  const shards = shardsUpTo(Number(count))
  yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
  const acquired = yield* storage.acquire(address, shards)
  process.stdout.write(`acquired ${acquired.length}\n`)
  yield* Effect.repeat(storage.refresh(address, shards), Schedule.spaced(Number(expiration) / 3))
})

NodeRuntime.runMain(
  isKind(kind)
    ? Effect.provide(program, storageOf(kind, { at, expiration: Number(expiration) }, 1))
    : Effect.die(new Error(`no such storage: ${kind}`))
)
