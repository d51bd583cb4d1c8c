/** The servers that everything is tested on, and storages on them. */
import { makeChroot, type TestChroot, withClient } from "@effect-zookeeper/test-kit/conformance/chroot"
import type { Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { describe, layer } from "@effect/vitest"
import type { PersistenceError } from "effect/cluster/ClusterError"
import * as Runner from "effect/cluster/Runner"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import type { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { StorageTimeout } from "../../src/Errors.ts"
import * as ZooKeeperRunnerStorage from "../../src/ZooKeeperRunnerStorage.ts"

export { withClient } from "@effect-zookeeper/test-kit/conformance/chroot"

/** The environment of a test: a chroot, and storages of a cluster in it. */
export interface TestCluster extends TestChroot {
  /** A storage on a client; it gives everything back when the Scope closes. */
  readonly storageOn: (
    zk: ZooKeeper.Service,
    options?: StorageOptions
  ) => Effect.Effect<RunnerStorage["Service"], never, Scope.Scope>
}

export interface StorageOptions {
  readonly prefix?: string
  readonly times?: Partial<ShardingConfig.ShardingConfig["Service"]>
}

/** The session timeout of these tests, in milliseconds. The server's tick is 500 ms. */
export const sessionTimeout = 4000

/** The interval of the refreshes, which bounds each call. */
export const interval = 1200

/** Tests in a chroot of their own, in real time, on the embedded server and on real ZooKeeper. */
export const describeOnServers = (name: string, tests: Tests): void =>
  describeOn(Targets.both(Targets.embeddedMemory), name, tests)

/** For tests that take long: on real ZooKeeper, and in `test:long` on the embedded server, too. */
export const describeSlowOnServers = (name: string, tests: Tests): void =>
  describeOn(Targets.bothIfLong(Targets.embeddedMemory), name, tests)

type Tests = (test: TestWith<TestCluster, Target>) => void

const describeOn = (targets: ReturnType<typeof Targets.both<unknown>>, name: string, tests: Tests): void => {
  for (const [where, target] of targets) {
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) => tests(testWith(effect, makeTestCluster)))
    })
  }
}

/** The times that fit the sessions of these tests. */
export const times = { shardLockExpiration: sessionTimeout, shardLockRefreshInterval: interval }

export const storageOn: TestCluster["storageOn"] = (zk, options = {}) =>
  Effect.map(Effect.orDie(makeStorageOn(zk, options)), asUsed)

/** The same, with the errors of a storage that cannot be made; each of its calls is made once. */
export const makeStorageOn = (zk: ZooKeeper.Service, { prefix = "/cluster", times: given }: StorageOptions = {}) =>
  ZooKeeperRunnerStorage.make({ prefix }).pipe(
    withClient(zk),
    Effect.provideService(ShardingConfig.ShardingConfig, { ...ShardingConfig.defaults, ...times, ...given })
  )

export const address = (port: number) => RunnerAddress.make("localhost", port)

export const runner = (port: number, weight = 1) => Runner.make({ address: address(port), groups: ["default"], weight })

/** The shards of these numbers. */
export const shards = (...ids: ReadonlyArray<number>) => ids.map((id) => ShardId.make("default", id))

/** The shards from 1 up to a number. */
export const shardsUpTo = (count: number) => shards(...Array.from({ length: count }, (_, index) => index + 1))

/** The numbers of shards. */
export const ids = (given: ReadonlyArray<ShardId.ShardId>) => given.map(({ id }) => id)

/** The cause of a `PersistenceError`. */
export const causeOf = <A, R>(effect: Effect.Effect<A, PersistenceError, R>) =>
  Effect.map(Effect.flip(effect), ({ cause }) => cause)

// ---- internal

/**
 * A storage as Effect's Sharding uses it: a call that took too long is made again. On a busy machine that happens while the
 * session is well.
 */
const asUsed = (storage: RunnerStorage["Service"]): RunnerStorage["Service"] => ({
  getRunners: again(storage.getRunners),
  register: (...args) => again(storage.register(...args)),
  unregister: (...args) => again(storage.unregister(...args)),
  setRunnerHealth: (...args) => again(storage.setRunnerHealth(...args)),
  acquire: (...args) => again(storage.acquire(...args)),
  refresh: (...args) => again(storage.refresh(...args)),
  release: (...args) => again(storage.release(...args)),
  releaseAll: (...args) => again(storage.releaseAll(...args))
})

const again = <A>(call: Effect.Effect<A, PersistenceError>): Effect.Effect<A, PersistenceError> =>
  Effect.retry(call, {
    times: 20,
    while: ({ cause }) => cause instanceof StorageTimeout && cause.session === "Connected"
  })

const makeTestCluster = Effect.map(makeChroot("cluster"), (chroot): TestCluster => ({
  ...chroot,
  another: (options) => chroot.another({ sessionTimeout, ...options }),
  breakable: (options) => chroot.breakable({ sessionTimeout, ...options }),
  storageOn
}))
