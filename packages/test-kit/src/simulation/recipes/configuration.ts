/**
 * Live configuration: each value that is shown is one committed state that decodes, each newer than the one before, and
 * without faults it is the newest one.
 */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as LiveConfig from "@effect-zookeeper/config/LiveConfig"
import type { SnapshotFile } from "@effect-zookeeper/config/SnapshotFile"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Recipe, ZnodesByPath } from "../RecipeSimulation.ts"
import * as SimulatedClient from "../SimulatedClient.ts"
import * as OneNumber from "./oneNumber.ts"
import { textOf } from "./text.ts"

const root = "/recipe/config"

export const liveConfig: Recipe = (environment) =>
  Effect.map(Effect.sync(memoryFile), (file) => ({
    play: Effect.fnUntraced(function* (client) {
      const addViolation = (what: string) => environment.addViolation(`${client.name}: ${what}`)
      yield* Effect.ignore(client.zk.transaction(creation))
      const own = yield* Scope.fork(yield* Effect.scope)
      const live = yield* make.pipe(Scope.provide(own))
      const order = new Order(addViolation)
      const showing = yield* Effect.forkScoped(order.follow(live), { startImmediately: true })
      return Effect.gen(function* () {
        if ((yield* Random.next) < 0.3) yield* startAgain(client, file, addViolation)
        yield* Effect.ignore(advance(client.zk))
        if (!environment.isFaultFree()) return
        // Others have not finished yet.
        while (true) {
          const newest = numberIn(yield* environment.znodes)
          const isSettled = isBroken(newest) ? live.current.a < newest : live.current.a === newest
          if (isSettled && live.status.freshness === "live" && order.last === live.current.a) break
          yield* Effect.sleep("20 millis")
        }
        yield* Scope.close(own, Exit.void)
        const last = live.current
        // The stream ends by itself, with a value that was on its way.
        yield* Fiber.join(showing)
        yield* Effect.sleep("300 millis")
        if (live.current !== last) addViolation(`${live.current.a} is the value after the end at ${last.a}`)
      })
    }),
    survivesDeletion: false
  }))

// ---- internal: starts

/** The state of the moment may be a broken one, and the writes of others may be quicker than two walks. */
const make = LiveConfig.make(OneNumber.config, { path: root }).pipe(
  Effect.retry({
    while: ({ _tag }) => _tag === "ConfigError" || _tag === "TreeUnsettled",
    schedule: Schedule.spaced("20 millis")
  })
)

/**
 * A process that begins with the file of another one, which may have seen more, where the tree does not come at once. Some
 * have a client of their own, which has no connection yet.
 */
const startAgain = (client: SimulatedClient.SimulatedClient, file: MemoryFile, addViolation: (what: string) => void) =>
  Effect.gen(function* () {
    const isSaved = Option.isSome(yield* file.load)
    const zk = (yield* Random.nextBoolean)
      ? client.zk
      : yield* SimulatedClient.connectBeside(client, { firstConnection: "background" })
    const fileAfter = yield* Random.nextIntBetween(1, 100)
    const begun = yield* LiveConfig.make(OneNumber.config, { path: root, file, fileAfter }).pipe(
      Effect.provideService(ZooKeeper.ZooKeeper, zk),
      Effect.result
    )
    if (Result.isFailure(begun)) {
      if (isSaved) addViolation(`a start with a file failed: ${begun.failure.message}`)
      return
    }
    yield* Effect.forkScoped(new Order(addViolation).follow(begun.success), { startImmediately: true })
    yield* Effect.sleep(yield* Random.nextIntBetween(1, 300))
  }).pipe(Effect.scoped)

interface MemoryFile extends SnapshotFile {
  readonly load: Effect.Effect<Effect.Success<SnapshotFile["load"]>>
}

const memoryFile = (): MemoryFile => {
  let saved: Effect.Success<MemoryFile["load"]> = Option.none()
  return {
    file: "snapshot",
    load: Effect.sync(() => saved),
    save: (snapshot) => Effect.sync(() => void (saved = Option.some(snapshot)))
  }
}

// ---- internal: the states

/** States that do not decode. */
const isBroken = (n: number): boolean => n % 4 === 3

const stateOf = (n: number): OneNumber.State => {
  const state = OneNumber.stateOf(root, n)
  return isBroken(n) ? { ...state, [`${root}/b`]: "broken" } : state
}

const creation = [root, `${root}/deep`, `${root}/list`]
  .map((path) => Op.create(path))
  .concat(Object.entries(stateOf(0)).map(([path, data]) => Op.create(path, { data })))

/** Leads to the next number; fails if another client does so first. */
const advance = Effect.fnUntraced(function* (zk: ZooKeeper.Service) {
  const { data, stat } = yield* zk.get(`${root}/a`)
  const n = Number(textOf(data))
  const { gone, writes } = OneNumber.changeOf(stateOf(n), stateOf(n + 1))
  const deletes = (yield* Random.nextBoolean) ? gone : gone.toReversed()
  yield* zk.transaction([Op.check(`${root}/a`, stat.version), ...writes, ...deletes.map((path) => Op.delete(path))])
})

const numberIn = (znodes: ZnodesByPath): number => Number(textOf(znodes.get(`${root}/a`)?.data ?? null))

// ---- internal: the rules

/** The values that one client has shown. */
class Order {
  last = -1
  private readonly addViolation: (what: string) => void

  constructor(addViolation: (what: string) => void) {
    this.addViolation = addViolation
  }

  follow(live: LiveConfig.LiveConfig<OneNumber.Value>) {
    return Stream.runForEach(live.changes, (value) => Effect.sync(() => this.show(value)))
  }

  private show(value: OneNumber.Value): void {
    const { a } = value
    if (!OneNumber.isWhole(value)) {
      this.addViolation(`shown a mixture: ${JSON.stringify(value)}`)
    }
    if (isBroken(a)) this.addViolation(`${a} does not decode and was shown`)
    if (a <= this.last) this.addViolation(`${a} was shown after ${this.last}`)
    this.last = a
  }
}
