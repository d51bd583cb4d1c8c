/**
 * A cluster on a real ensemble whose members are killed and cut off, one after the other: no singleton, no cron and no entity
 * runs twice at a time, and all of them run again afterwards.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { freePorts } from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { ownedBy, Running, shardCount, startRunner, type Totals } from "../support/clusters.ts"
import * as Sqlite from "../support/sqlite.ts"

/** A thousand faults, of runners as well, are in `Cluster.processes.test.ts`. */
const rounds = process.env["ZK_LONG"] === "1" ? 250 : 2
/** Longer than elsewhere: four processes and their files share the machine. */
const sessionTimeout = 10_000

const names = ["first", "second", "third"]
const accounts = Array.from({ length: 8 }, (_, index) => `account-${index}`)

describe("a cluster on an ensemble of three", () => {
  it.live(
    "runs nothing twice while members are killed and cut off",
    () =>
      Effect.gen(function* () {
        const ensemble = yield* ZooKeeperEnsemble.make({ links: true, startTimeout: "90 seconds" })
        yield* ensemble.awaitQuorum(3)
        const database = yield* Layer.build(Sqlite.layer())
        const running = new Running()
        const totals: Totals = new Map()
        const runners = yield* Effect.forEach([0, 1, 2], (number) =>
          Effect.gen(function* () {
            const zk = yield* clientOf(ZooKeeper.layer({ servers: ensemble.connectString, sessionTimeout }))
            // Just before it is listened at: a port that was chosen earlier may be another process's by now.
            const [port = 0] = yield* freePorts(1)
            const expiration = sessionTimeout
            return yield* startRunner({ number, port, zk, database, running, totals, ticks: [], expiration })
          })
        )
        const isWell = () =>
          runners.reduce((sum, runner) => sum + ownedBy(runner), 0) === shardCount &&
          runners.every((runner) => ownedBy(runner) > 0) &&
          names.every((name) => running.on(name).length === 1)
        const awaitWell = eventually(Effect.sync(isWell), (well) => well).pipe(Effect.retry({ times: 4 }))
        yield* awaitWell
        for (let round = 0; round < rounds; round++) {
          if (round > 0 && round % 10 === 0) yield* Effect.log(`${round} of ${rounds} rounds`)
          const leader = yield* Effect.retry(ensemble.leader, { times: 20 })
          const followers = yield* ensemble.followers
          const follower = followers[round % followers.length]!
          const member = round % 2 === 0 ? follower : leader
          // Shorter than a session, or longer.
          const pause = Effect.sleep(yield* Random.nextBetween(300, sessionTimeout * 1.5))
          if (round % 4 < 2) {
            yield* member.kill
            yield* pause
            yield* member.launch
          } else {
            yield* ensemble.isolate(member)
            yield* pause
            yield* ensemble.rejoin
          }
          yield* ensemble.awaitQuorum(3)
          yield* awaitWell
          const replies = yield* Effect.forEach(
            accounts,
            (account) => runners[round % 3]!.add(account, String(round), 1),
            { concurrency: "unbounded" }
          ).pipe(Effect.timeout("15 seconds"))
          assert.deepStrictEqual(new Set(replies.map(({ total }) => total)), new Set([round + 1]))
        }
        assert.deepStrictEqual(running.violations, [])
      }).pipe(Effect.scoped),
    120_000 + rounds * 40_000
  )
})
