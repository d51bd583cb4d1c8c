/**
 * The shards of a cluster: what runs on them has stopped before another runner runs it. The runners here use the storage as
 * Effect's Sharding does: they refresh at an interval, try a failed refresh again five times, and then stop at once. Some have a
 * storage for themselves, and the next one on that client may have their address.
 */
import { SessionExpired } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeperRunnerStorage from "@effect-zookeeper/cluster/ZooKeeperRunnerStorage"
import * as Runner from "effect/cluster/Runner"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { Recipe } from "../RecipeSimulation.ts"
import { SESSION_TIMEOUT, type SimulatedClient } from "../SimulatedClient.ts"
import { MutualExclusion } from "./MutualExclusion.ts"

const prefix = "/recipe/cluster"

/** A third of the expiration, as Sharding has it. */
const INTERVAL = SESSION_TIMEOUT / 3

const shards = Arr.makeBy(4, (index) => ShardId.make("default", index + 1))

const open = ZooKeeperRunnerStorage.make({ prefix }).pipe(
  Effect.provideService(ShardingConfig.ShardingConfig, {
    ...ShardingConfig.defaults,
    shardLockExpiration: SESSION_TIMEOUT
  })
)

type Storage = Effect.Success<typeof open>

export const runnerStorage: Recipe = (environment) =>
  Effect.sync(() => {
    const exclusions = new Map(shards.map((shard) => [shard, new MutualExclusion(environment)]))
    let runners = 0
    const workOn = (client: SimulatedClient, shard: ShardId.ShardId) =>
      exclusions.get(shard)!.work(client, String(shard), { path: `${prefix}/shards/${shard}` })
    return {
      play: Effect.fnUntraced(function* (client) {
        const shared = yield* open.pipe(
          Effect.retry({ while: ({ _tag }) => _tag === "PersistenceError", schedule: Schedule.spaced("20 millis") })
        )
        const addressOf = (runner: number) => RunnerAddress.make(client.name, runner)
        const run = Effect.fnUntraced(function* (storage: Storage, address: RunnerAddress.RunnerAddress) {
          yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
          const wanted = Arr.take(yield* Random.shuffle(shards), yield* Random.nextIntBetween(1, shards.length))
          const owned = yield* storage.acquire(address, wanted)
          const refreshing = Random.nextBetween(0, INTERVAL).pipe(
            Effect.flatMap(Effect.sleep),
            Effect.andThen(Effect.repeat(refresh(storage, address, owned), Schedule.fixed(INTERVAL))),
            Effect.andThen(Effect.never)
          )
          // What runs on a shard stays there, for one refresh or for several.
          const pieces = yield* Random.nextIntBetween(0, 3)
          const work = Effect.forEach(owned, (shard) => Effect.repeat(workOn(client, shard), { times: pieces }), {
            concurrency: "unbounded",
            discard: true
          })
          yield* Effect.raceFirst(refreshing, work)
        })
        const onShared = Effect.suspend(() => {
          const address = addressOf(++runners)
          const letGo = Effect.andThen(shared.releaseAll(address), shared.unregister(address)).pipe(
            Effect.retry({ schedule: Schedule.spaced(50) }),
            Effect.orDie
          )
          return Effect.ensuring(run(shared, address), letGo)
        })
        /** Runners that have ended, whose storages may still give back. */
        const former: Array<number> = []
        const onItsOwn = Effect.acquireUseRelease(
          Effect.sync(() => former.pop() ?? ++runners),
          (runner) =>
            open.pipe(
              Effect.provideService(ZooKeeper.ZooKeeper, slowToDelete(client.zk)),
              Effect.flatMap((storage) => run(storage, addressOf(runner))),
              Effect.scoped
            ),
          (runner) => Effect.sync(() => former.push(runner))
        )
        return Effect.flatMap(Random.nextBoolean, (isShared) => (isShared ? onShared : onItsOwn))
      }),
      expected: ["PersistenceError", "TimeoutError"],
      mayBeClosedInside: true
    }
  })

// ---- internal

/** A client whose transactions that delete take their time, but are sent in the session of their caller or not at all. */
const slowToDelete = (zk: ZooKeeper.Service): ZooKeeper.Service => ({
  ...zk,
  session: zk.session,
  transaction: (ops) =>
    ops[0]?._tag === "Delete" ? Effect.andThen(pauseInSession(zk), zk.transaction(ops)) : zk.transaction(ops)
})

const pauseInSession = ({ session }: ZooKeeper.Service): Effect.Effect<void, SessionExpired> =>
  Effect.suspend(() => {
    const { id } = session
    return Effect.andThen(
      Effect.flatMap(Random.nextBetween(0, 1500), Effect.sleep),
      Effect.suspend(() => {
        if (session.id === id) return Effect.void
        return Effect.fail(new SessionExpired({ sessionId: id, maybeApplied: false }))
      })
    )
  })

/** Keeps what a runner owns: fails where it has lost a part of that. */
const refresh = (storage: Storage, address: RunnerAddress.RunnerAddress, owned: ReadonlyArray<ShardId.ShardId>) =>
  storage.refresh(address, owned).pipe(
    Effect.filterOrFail(
      (refreshed) => refreshed.length === owned.length,
      () => ({ _tag: "LockLost" })
    ),
    Effect.retry({ times: 5, schedule: Schedule.spaced(50) }),
    Effect.timeout(INTERVAL)
  )
