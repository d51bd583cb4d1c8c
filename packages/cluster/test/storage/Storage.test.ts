/** Runners, machine ids and the locks of shards, as Effect's own suites assert them, and what ZooKeeper adds. */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { eventually, text } from "@effect-zookeeper/test-kit/Expectations"
import * as LaggingClient from "@effect-zookeeper/test-kit/LaggingClient"
import { assert } from "@effect/vitest"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { MachineIds } from "../../src/internal/machineIds.ts"
import {
  address,
  describeOnServers,
  ids,
  makeStorageOn,
  runner,
  shards,
  shardsUpTo,
  times,
  withClient
} from "../support/targets.ts"
import * as ZooKeeperRunnerHealth from "../../src/ZooKeeperRunnerHealth.ts"
import * as ZooKeeperRunnerStorage from "../../src/ZooKeeperRunnerStorage.ts"

/** Whether times are asserted, which asks for a quiet machine. */
const isLong = process.env["ZK_LONG"] === "1"

describeOnServers("the runners of a storage", (test) => {
  test("are registered with their health until they are unregistered", function* ({ another, storageOn }) {
    const storage = yield* storageOn(yield* another())
    const machineId = yield* storage.register(runner(1), true)
    assert.strictEqual(yield* storage.register(runner(1), true), machineId)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1), true]])
    yield* storage.setRunnerHealth(address(1), false)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1), false]])
    yield* storage.setRunnerHealth(address(1), true)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1), true]])
    yield* storage.setRunnerHealth(address(2), false)
    yield* storage.unregister(address(1))
    assert.deepStrictEqual(yield* storage.getRunners, [])
    yield* storage.unregister(address(1))
  })

  test("can be unhealthy from the start, and are written anew", function* ({ another, storageOn }) {
    const storage = yield* storageOn(yield* another())
    yield* storage.register(runner(1), false)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1), false]])
    yield* storage.register(runner(1, 2), true)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1, 2), true]])
  })

  test("are seen by all, and go with their sessions", function* ({ another, expire, storageOn }) {
    const [one, other] = [yield* another(), yield* another()]
    const storage = yield* storageOn(one)
    const observer = yield* storageOn(other)
    yield* storage.register(runner(1), true)
    yield* observer.register(runner(2), true)
    assert.deepStrictEqual(yield* observer.getRunners, [
      [runner(1), true],
      [runner(2), true]
    ])
    yield* observer.setRunnerHealth(address(1), false)
    assert.deepStrictEqual((yield* storage.getRunners)[0], [runner(1), false])
    yield* expire(one)
    yield* eventually(observer.getRunners, (all) => all.length === 1)
    // Sharding registers a runner again that it does not find, until it succeeds.
    yield* eventually(Effect.exit(storage.register(runner(1), true)), Exit.isSuccess)
    yield* eventually(observer.getRunners, (all) => all.length === 2)
  })

  test("count once, by their newest registration", function* ({ another, storageOn, zk }) {
    const former = yield* storageOn(yield* another())
    yield* former.register(runner(1), true)
    const storage = yield* storageOn(yield* another())
    yield* storage.register(runner(1, 3), true)
    assert.lengthOf(yield* zk.getChildren("/cluster/runners"), 2)
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1, 3), true]])
    assert.deepStrictEqual(yield* former.getRunners, [[runner(1, 3), true]])
  })

  test("are those that can be read", function* ({ another, storageOn, zk }) {
    const storage = yield* storageOn(yield* another())
    yield* storage.register(runner(1), true)
    yield* zk.create("/cluster/runners/other", { data: "no registration" })
    yield* zk.create("/cluster/runners/localhost:9@1", { data: "{}" })
    assert.deepStrictEqual(yield* storage.getRunners, [[runner(1), true]])
    yield* storage.setRunnerHealth(address(9), false)
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/cluster/runners/localhost:9@1")), "{}")
  })

  test("are alive for as long as they are registered", function* ({ another, expire, storageOn, zk }) {
    const one = yield* another()
    const storage = yield* storageOn(one)
    const health = yield* withClient(zk)(ZooKeeperRunnerHealth.make({ prefix: "/cluster" }))
    assert.isFalse(yield* health.isAlive(address(1)))
    yield* storage.register(runner(1), true)
    yield* storage.register(runner(11), true)
    assert.isTrue(yield* health.isAlive(address(1)))
    yield* storage.unregister(address(1))
    assert.isFalse(yield* health.isAlive(address(1)))
    assert.isTrue(yield* health.isAlive(address(11)))
    yield* expire(one)
    yield* eventually(health.isAlive(address(11)), (isAlive) => !isAlive)
  })
})

describeOnServers("machine ids", (test) => {
  test("are the lowest numbers that no living session has", function* ({ another, storageOn }) {
    const scopes = yield* Effect.forEach([1, 2, 3], () => Scope.make())
    const storages = yield* Effect.forEach(scopes, (scope) =>
      Effect.flatMap(another(), (zk) => Scope.provide(storageOn(zk), scope))
    )
    const taken = yield* Effect.forEach(storages, (storage, index) => storage.register(runner(index), true))
    assert.deepStrictEqual(taken.map(Number), [0, 1, 2])
    // A runner that shuts down goes on making ids until its storage closes.
    yield* storages[1]!.unregister(address(1))
    const next = yield* storageOn(yield* another())
    assert.strictEqual(Number(yield* next.register(runner(4), true)), 3)
    yield* Scope.close(scopes[1]!, Exit.void)
    const last = yield* storageOn(yield* another())
    assert.strictEqual(Number(yield* last.register(runner(5), true)), 1)
    yield* Effect.forEach(scopes, (scope) => Scope.close(scope, Exit.void))
  })

  test("are never two runners' at once", function* ({ another, storageOn }) {
    const clients = yield* Effect.forEach([0, 1, 2, 3], () => another())
    const storages = yield* Effect.forEach(clients, (zk) => storageOn(zk))
    const taken = yield* Effect.forEach(
      Array.from({ length: 24 }, (_, index) => index),
      (index) => storages[index % 4]!.register(runner(index), true),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(
      taken.map(Number).toSorted((one, other) => one - other),
      Array.from({ length: 24 }, (_, index) => index)
    )
  })

  test("stay the runner's through lost replies", function* ({ breakable, storageOn, zk }) {
    const { link, zk: broken } = yield* breakable()
    const storage = yield* storageOn(broken)
    const { create } = yield* Effect.promise(() => import("@effect-zookeeper/protocol/Operations"))
    yield* link.loseReply(create)
    assert.strictEqual(Number(yield* Effect.retry(storage.register(runner(1), true), { times: 5 })), 0)
    assert.deepStrictEqual(yield* zk.getChildren("/cluster/machines"), ["0"])
  })
})

describeOnServers("a machine id that is given back", (test) => {
  const path = "/0"

  test("is left to its next owner when the server lags behind", function* ({ another, zk }) {
    const next = zk.create(path, { mode: "ephemeral", data: "next" })
    const lost = LaggingClient.make(yield* another(), path)
    const ids = new MachineIds(lost.zk, "/")
    assert.strictEqual(yield* ids.of("mine"), 0)
    lost.loseDelete(next)
    yield* ids.releaseAll
    assert.strictEqual(text(yield* zk.getData(path)), "next")
    yield* zk.delete(path)
    // The first look shows one that was deleted by hand.
    const late = LaggingClient.make(yield* another(), path)
    const others = new MachineIds(late.zk, "/")
    assert.strictEqual(yield* others.of("mine"), 0)
    yield* late.stay
    yield* zk.delete(path)
    yield* next
    yield* others.releaseAll
    assert.strictEqual(text(yield* zk.getData(path)), "next")
  })

  test("is left to its next owner who took it between the look and the delete", function* ({ another, zk }) {
    const mine = yield* another()
    const slow: ZooKeeper.Service = {
      ...mine,
      delete: (...request) =>
        zk
          .delete(path)
          .pipe(
            Effect.andThen(zk.create(path, { mode: "ephemeral", data: "next" })),
            Effect.andThen(zk.set(path, "next, renamed")),
            Effect.orDie,
            Effect.andThen(mine.delete(...request))
          )
    }
    const ids = new MachineIds(slow, "/")
    assert.strictEqual(yield* ids.of("mine"), 0)
    yield* ids.releaseAll
    assert.strictEqual(text(yield* zk.getData(path)), "next, renamed")
  })
})

describeOnServers("the shards of a storage", (test) => {
  test("are acquired, refreshed and released", function* ({ another, storageOn }) {
    const storage = yield* storageOn(yield* another())
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2, 3))), [1, 2, 3])
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2, 3))), [1, 2, 3])
    assert.deepStrictEqual(ids(yield* storage.refresh(address(1), shards(1, 2, 3, 4))), [1, 2, 3])
    assert.deepStrictEqual(yield* storage.refresh(address(1), []), [])
    yield* storage.release(address(1), shards(2)[0]!)
    yield* storage.release(address(1), shards(2)[0]!)
    assert.deepStrictEqual(ids(yield* storage.refresh(address(1), shards(1, 2, 3))), [1, 3])
    yield* storage.releaseAll(address(1))
    assert.deepStrictEqual(yield* storage.refresh(address(1), shards(1, 3)), [])
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2))), [1, 2])
  })

  test("may come from an iterable that can be read once", function* ({ another, storageOn }) {
    const storage = yield* storageOn(yield* another())
    const acquired = yield* storage.acquire(address(1), shards(1, 2).values())
    assert.deepStrictEqual(ids(acquired), [1, 2])
    assert.deepStrictEqual(yield* storage.acquire(address(1), []), [])
  })

  test("are one runner's at a time, also on one session", function* ({ another, storageOn }) {
    const [one, other] = [yield* another(), yield* another()]
    const storage = yield* storageOn(one)
    const sameSession = yield* storageOn(one)
    const otherSession = yield* storageOn(other)
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1, 2))), [1, 2])
    assert.deepStrictEqual(ids(yield* storage.acquire(address(2), shards(1, 2, 3))), [3])
    assert.deepStrictEqual(ids(yield* sameSession.acquire(address(3), shards(1, 2, 3, 4))), [4])
    assert.deepStrictEqual(ids(yield* otherSession.acquire(address(4), shards(1, 2, 3, 4, 5))), [5])
    // Each gives back its own.
    yield* storage.release(address(2), shards(1)[0]!)
    yield* sameSession.releaseAll(address(1))
    yield* otherSession.releaseAll(address(1))
    assert.deepStrictEqual(yield* otherSession.acquire(address(4), shards(1, 2, 3, 4)), [])
    yield* storage.release(address(1), shards(1)[0]!)
    assert.deepStrictEqual(ids(yield* otherSession.acquire(address(4), shards(1, 2, 3, 4))), [1])
  })

  test("are divided between sessions that contend for all of them", function* ({ another, storageOn }) {
    // On a busy machine so many conflicts take a while.
    const sessionTimeout = "12 seconds"
    const times = { shardLockExpiration: sessionTimeout, shardLockRefreshInterval: 4000 } as const
    const clients = yield* Effect.forEach([0, 1, 2], () => another({ sessionTimeout }))
    const storages = yield* Effect.forEach(clients, (zk) => storageOn(zk, { times }))
    const all = shardsUpTo(250)
    for (let round = 0; round < 3; round++) {
      const acquired = yield* Effect.forEach(storages, (storage, index) => storage.acquire(address(index), all), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        acquired.flatMap(ids).toSorted((one, other) => one - other),
        ids(all)
      )
      for (const [index, storage] of storages.entries()) {
        assert.sameMembers(ids(yield* storage.refresh(address(index), all)), ids(acquired[index]!))
      }
      for (const [index, storage] of storages.entries()) yield* storage.releaseAll(address(index))
    }
  })

  test("of different prefixes are different", function* ({ another, storageOn }) {
    const zk = yield* another()
    const storage = yield* storageOn(zk)
    const apart = yield* storageOn(zk, { prefix: "/other/cluster" })
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(1))), [1])
    assert.deepStrictEqual(ids(yield* apart.acquire(address(2), shards(1))), [1])
  })

  test("may have groups with any name", function* ({ another, storageOn }) {
    const storage = yield* storageOn(yield* another())
    const named = ["a/b", "..", "zookeeper", "ä ö", "a:b", "%2F", "\u0000", "@"].map((group) => ShardId.make(group, 1))
    assert.deepStrictEqual(yield* storage.acquire(address(1), named), named)
    assert.deepStrictEqual(yield* storage.acquire(address(2), named), [])
    for (const shard of named) yield* storage.release(address(1), shard)
    assert.deepStrictEqual(yield* storage.acquire(address(2), named), named)
  })

  test("are given back when the storage closes, though the session goes on", function* ({ another, storageOn, zk }) {
    const one = yield* another()
    const scope = yield* Scope.make()
    const storage = yield* Scope.provide(storageOn(one), scope)
    yield* storage.register(runner(1), true)
    yield* storage.acquire(address(1), shardsUpTo(120))
    assert.lengthOf(yield* zk.getChildren("/cluster/shards"), 120)
    yield* Scope.close(scope, Exit.void)
    yield* zk.sync()
    for (const parent of ["shards", "runners", "machines"]) {
      assert.deepStrictEqual(yield* zk.getChildren(`/cluster/${parent}`), [])
    }
    assert.strictEqual(one.session.state._tag, "Connected")
  })

  test("can be acquired after somebody has deleted the parents", function* ({ another, storageOn, zk }) {
    const storage = yield* storageOn(yield* another())
    yield* storage.acquire(address(1), shards(1))
    yield* zk.deleteAll("/cluster")
    assert.deepStrictEqual(ids(yield* storage.acquire(address(1), shards(2, 3))), [2, 3])
    yield* storage.register(runner(1), true)
    assert.lengthOf(yield* storage.getRunners, 1)
    yield* storage.releaseAll(address(1))
    assert.deepStrictEqual(yield* zk.getChildren("/cluster/shards"), [])
  })

  test("come in hundreds and thousands at once", function* ({ another, storageOn }) {
    // Each call may take as long as the interval of the refreshes, and thousands take a while on a busy machine.
    const sessionTimeout = "30 seconds"
    const times = { shardLockExpiration: sessionTimeout, shardLockRefreshInterval: 10_000 } as const
    const storage = yield* storageOn(yield* another({ sessionTimeout }), { times })
    for (const [count, bound] of [
      [300, 200],
      [3000, 1000]
    ] as const) {
      const [elapsed, acquired] = yield* Effect.timed(storage.acquire(address(1), shardsUpTo(count)))
      assert.lengthOf(acquired, count)
      const [refreshing, refreshed] = yield* Effect.timed(storage.refresh(address(1), shardsUpTo(count)))
      assert.lengthOf(refreshed, count)
      const [releasing] = yield* Effect.timed(storage.releaseAll(address(1)))
      const millis = [elapsed, refreshing, releasing].map((duration) => Duration.toMillis(duration).toFixed(1))
      yield* Effect.log(
        `${count} shards: acquired in ${millis[0]} ms, refreshed in ${millis[1]}, released in ${millis[2]}`
      )
      if (!isLong) continue
      // The best of several, for other tests run at the same time.
      let best = Duration.toMillis(elapsed)
      for (let attempt = 0; attempt < 5 && best >= bound; attempt++) {
        const [again] = yield* Effect.timed(storage.acquire(address(1), shardsUpTo(count)))
        best = Math.min(best, Duration.toMillis(again))
        yield* storage.releaseAll(address(1))
      }
      assert.isBelow(best, bound)
    }
  })
})

describeOnServers("the times of a storage", (test) => {
  const mistakeOf = (effect: ReturnType<typeof makeStorageOn>) =>
    Effect.map(Effect.flip(effect), (error) => {
      assert.instanceOf(error, InvalidArgument)
      return error
    })

  test("have to fit the session, and the error says how", function* ({ another }) {
    const zk = yield* another()
    const late = yield* mistakeOf(makeStorageOn(zk, { times: { shardLockExpiration: "3 seconds" } }))
    assert.strictEqual(late.argument, "sessionTimeout")
    assert.strictEqual(late.value, "4000 ms")
    assert.include(late.rule, "set shardLockExpiration to at least 4000 ms")
    const seldom = yield* mistakeOf(
      makeStorageOn(zk, { times: { shardLockExpiration: "35 seconds", shardLockRefreshInterval: "10 seconds" } })
    )
    assert.include(seldom.rule, "ask for a sessionTimeout of at least 20600 ms")
    assert.include(seldom.rule, "set shardLockRefreshInterval to at most 1333 ms")
  })

  test("fit Effect's defaults with a session timeout of thirty seconds", function* ({ another }) {
    const defaults = { shardLockExpiration: "35 seconds", shardLockRefreshInterval: "10 seconds" } as const
    yield* makeStorageOn(yield* another({ sessionTimeout: "30 seconds" }), { times: defaults })
  })

  test("are of no matter to a process that only sends messages", function* ({ another }) {
    const storage = yield* makeStorageOn(yield* another(), {
      times: { runnerAddress: Option.none(), shardLockExpiration: "1 second" }
    })
    assert.deepStrictEqual(yield* storage.getRunners, [])
  })

  test("and the options are checked", function* ({ another }) {
    const zk = yield* another()
    assert.strictEqual((yield* mistakeOf(makeStorageOn(zk, { prefix: "no path" }))).argument, "path")
  })

  test("and their prefix may come from the configuration", function* ({ another, zk }) {
    const build = (environment: Record<string, string>) =>
      Layer.build(ZooKeeperRunnerStorage.layerConfig({ prefix: Config.String("CLUSTER_PREFIX") })).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment)),
        Effect.provideService(ShardingConfig.ShardingConfig, { ...ShardingConfig.defaults, ...times })
      )
    const runners = yield* another()
    const context = yield* withClient(runners)(build({ CLUSTER_PREFIX: "/shop" }))
    const storage = Context.get(context, RunnerStorage)
    yield* storage.register(runner(1), true)
    assert.lengthOf(yield* zk.getChildren("/shop/runners"), 1)
    const missing = yield* Effect.flip(withClient(runners)(build({})))
    assert.strictEqual(missing._tag, "ConfigError")
    const mistake = yield* Effect.flip(withClient(runners)(build({ CLUSTER_PREFIX: "no path" })))
    assert.strictEqual(mistake._tag, "InvalidArgument")
    for (const config of [null, 0, [], { prefixes: Config.String("CLUSTER_PREFIX") }]) {
      const layer = ZooKeeperRunnerStorage.layerConfig(config as never)
      const refused = Layer.build(layer).pipe(
        Effect.provideService(ShardingConfig.ShardingConfig, { ...ShardingConfig.defaults, ...times })
      )
      assert.deepInclude(
        { ...(yield* Effect.flip(withClient(runners)(refused))) },
        { _tag: "InvalidArgument", argument: "config" }
      )
    }
  })
})
