/**
 * `npx -y pnpm@12 bench:cluster`: the storage of a cluster's runners on an ensemble of three, beside Effect's own on SQLite,
 * in one run on one machine.
 *
 * SQLite is a file that the process has open: it has no network, and no other member that has to agree. Its figures are those
 * of a database at no distance. Both have each commit on disk before they answer. A killed runner costs the same with every
 * database that has leases.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as Runner from "effect/cluster/Runner"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { synchronous } from "../../packages/cluster/test/support/sqlite.ts"
import { number, runCommand, text, type Values } from "../runCommand.ts"
import { fail } from "../steps.ts"
import { addressOf, type Kind, kinds, type Place, shardsUpTo, storageOf } from "./clusterStorage.ts"
import { markdown, median } from "./tables.ts"

const flags = {
  shards: text("shards", "numbers", "How many shards a runner has, each in a row of its own", "300,3000"),
  seconds: number("seconds", "The session timeout, and shardLockExpiration", 10),
  rounds: number("rounds", "How often each figure is taken; the table has the medians", 5)
}

/** Milliseconds. */
interface Figures {
  readonly acquire: number
  readonly refresh: number
  /** From the first release of one runner to the last shard of the other one. */
  readonly handOver: number
  /** From a `kill -9` of one runner to the last shard of the other one. */
  readonly kill: number
}

/** The servers of tests answer before a commit is on disk. Here they have to do what SQLite does. */
const durable = ["-Dzookeeper.forceSync=yes"]

const bench = Effect.fnUntraced(function* ({ rounds, seconds, shards }: Values<typeof flags>) {
  const counts = shards.split(",").map(Number)
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0)) {
    return yield* fail(`--shards ${shards} is not a list of numbers`, "write --shards 300,3000")
  }
  const ensemble = yield* ZooKeeperEnsemble.make({
    tickTime: 2000,
    heapMegabytes: 256,
    logLevel: "error",
    jvmFlags: durable
  })
  const folder = yield* TemporaryFolder.make("cluster-")
  const expiration = seconds * 1000
  const rows: Array<ReadonlyArray<string>> = []
  for (const count of counts) {
    for (const kind of kinds) {
      const all: Array<Figures> = []
      for (let round = 0; round < rounds; round++) {
        yield* Console.error(`${kind}, ${count} shards, round ${round + 1} of ${rounds} ...`)
        const at = kind === "ZooKeeper" ? ensemble.connectString : Path.join(folder, `${count}-${round}.sqlite`)
        all.push(yield* Effect.scoped(measure(kind, { at, expiration }, count)))
      }
      const figure = (name: keyof Figures) => median(all.map((each) => each[name])).toFixed(name === "kill" ? 0 : 1)
      rows.push([String(count), kind, figure("acquire"), figure("refresh"), figure("handOver"), figure("kill")])
    }
  }
  const head = ["shards", "storage", "acquire, ms", "refresh, ms", "hand over, ms", "after a kill, ms"]
  yield* Console.log(markdown(head, rows))
  yield* Console.log(
    `Session timeout and shardLockExpiration: ${seconds} s. SQLite: WAL, synchronous = ${synchronous}. Medians of ${rounds} rounds.`
  )
}, Effect.scoped)

// ---- internal

const measure = Effect.fnUntraced(function* (
  kind: Kind,
  place: Place,
  count: number
): Effect.fn.Return<Figures, { readonly message: string }, Scope.Scope> {
  const shards = shardsUpTo(count)
  const [one, other] = [yield* open(kind, place, 2), yield* open(kind, place, 3)]
  const acquire = yield* millisOf(acquireAll(one, 2, count))
  const refresh = yield* millisOf(one.refresh(addressOf(2), shards))
  const handOver = yield* millisOf(
    Effect.all([one.releaseAll(addressOf(2)), acquireAll(other, 3, count)], { concurrency: 2 })
  )
  yield* other.releaseAll(addressOf(3))
  const victim = yield* startVictim(kind, place, count)
  const kill = yield* millisOf(
    Effect.andThen(
      Effect.sync(() => victim.kill("SIGKILL")),
      acquireAll(other, 3, count)
    )
  )
  yield* other.releaseAll(addressOf(3))
  return { acquire, refresh, handOver, kill }
})

const open = (kind: Kind, place: Place, port: number) =>
  Effect.gen(function* () {
    const storage = Context.get(yield* Layer.build(storageOf(kind, place, port)), RunnerStorage)
    yield* storage.register(Runner.make({ address: addressOf(port), groups: ["default"], weight: 1 }), true)
    return storage
  })

/** Asks for what is missing, as Sharding does, but ten times as often. */
const acquireAll = (storage: RunnerStorage["Service"], port: number, count: number) =>
  Effect.gen(function* () {
    const wanted = new Set(shardsUpTo(count))
    while (true) {
      for (const shard of yield* storage.acquire(addressOf(port), wanted)) {
        for (const each of wanted) if (each.id === shard.id) wanted.delete(each)
      }
      if (wanted.size === 0) return
      yield* Effect.sleep("100 millis")
    }
  })

const millisOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.map(Effect.timed(effect), ([elapsed]) => Duration.toMillis(elapsed))

const startVictim = (
  kind: Kind,
  { at, expiration }: Place,
  count: number
): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = fileURLToPath(new URL("clusterRunner.ts", import.meta.url))
      const child = spawn(process.execPath, [script, kind, at, String(expiration), String(count)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const [line] = await once(createInterface(child.stdout), "line")
      if (line !== `acquired ${count}`) throw new Error(`the runner to be killed said "${line}"`)
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

runCommand("bench:cluster", "The storage of a cluster's runners, beside Effect's own on SQLite", flags, bench)
