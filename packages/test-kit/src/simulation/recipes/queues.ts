/** Queues: nothing comes out twice, or out of order, or is lost, where that is promised. */
import * as PriorityQueue from "@effect-zookeeper/recipes/PriorityQueue"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import { ZooKeeper } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeperClient from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Operation } from "../../history/History.ts"
import * as QueueRules from "../../history/queues.ts"
import type { Recipe, Scenario, Environment } from "../RecipeSimulation.ts"
import { MutualExclusion } from "./MutualExclusion.ts"
import { bytesOf, textOf } from "./text.ts"

const path = "/recipe/queue"

const PRIORITIES = [5, 100, 900]

/** At most once. */
export const queue: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  return yield* atMostOnce(environment, yield* anyLayout, false)
})

/** The same with priorities. */
export const priorityQueue: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  return yield* atMostOnce(environment, yield* anyLayout, true)
})

/** Offers, and takes, or leaves the taking to one who comes when all is over: then the order is known. */
const atMostOnce = Effect.fnUntraced(function* (
  environment: Environment,
  layout: Queue.Layout,
  hasPriorities: boolean
) {
  const isTaken = yield* Random.nextBoolean
  const scenario: Scenario = {
    play: Effect.fnUntraced(function* (client) {
      const recorder = environment.recorder(client)
      const queue = yield* make(layout, hasPriorities)
      return Effect.gen(function* () {
        const priority = hasPriorities ? PRIORITIES[yield* Random.nextIntBetween(0, 2)]! : 0
        if ((yield* Random.next) < 0.6 || !isTaken || environment.isFaultFree()) {
          const value = `${priority}:${recorder.unique()}`
          yield* recorder.record({ f: "offer", path, value }, queue.offer(bytesOf(value), priority), () => ({}))
          return
        }
        // An item that is waited for is put in before, by a client that may.
        const take = (yield* Random.nextBoolean) ? queue.poll : Effect.map(queue.take, Option.some)
        yield* recorder.record({ f: "take", path }, Effect.timeout(take, "2 seconds"), (item) =>
          Option.isSome(item) ? { value: textOf(item.value) } : {}
        )
      })
    }),
    expected: ["OutcomeUnknown", "TimeoutError"],
    // A client that deletes an item takes it.
    survivesDeletion: false,
    judge: Effect.fnUntraced(function* (_truth, zk) {
      const drained = yield* drain(environment, zk, layout, hasPriorities)
      const lasting = new Set(
        environment.clients.flatMap((one) => (one.observations.sessions.length === 1 ? [one.name] : []))
      )
      // A taker that stops to wait has it put back, unless the session ends before that is done.
      const history = environment.history().map((operation): Operation => {
        const { client, f, outcome } = operation
        const isPutBack = f === "take" && outcome === "info" && lasting.has(client)
        return isPutBack ? Object.assign({}, operation, { outcome: "fail" }) : operation
      })
      // A session that ended may have taken one along that its taker knows nothing of; it was asked for by each worker.
      const ended = environment.clients.reduce((sum, { observations }) => sum + observations.sessions.length - 1, 0)
      // And one may be lost between its success and the moment in which its taker has it: a taker that is interrupted
      // there never learns of it, and nothing can close that gap but an acknowledgement.
      const alongside = Array.from({ length: ended * 2 + 1 }, (_, index) => takenAlong(index))
      report(environment, QueueRules.checkQueues([...history, ...alongside]).violations)
      if (!isTaken) judgeOrder(environment, history, drained)
    })
  }
  return scenario
})

const takenAlong = (index: number): Operation => ({
  f: "take",
  path,
  id: `along.${index}`,
  client: "a session that ended",
  session: undefined,
  outcome: "info",
  invokedAt: 0,
  completedAt: Number.POSITIVE_INFINITY
})

/** The more urgent items first, and those of one producer in their order. */
const judgeOrder = (environment: Environment, history: ReadonlyArray<Operation>, drained: ReadonlyArray<string>) => {
  const priorities = drained.map((value) => Number(value.split(":")[0]))
  const late = priorities.findIndex((priority, index) => index > 0 && priority < priorities[index - 1]!)
  if (late !== -1) environment.addViolation(`${drained[late]} came after ${drained[late - 1]}`)
  for (const priority of new Set(priorities)) {
    const ofThis = history.filter(({ f, value }) => f === "take" || value?.startsWith(`${priority}:`) === true)
    const mine = ofThis.filter(({ f, value }) => f !== "take" || value?.startsWith(`${priority}:`) === true)
    report(environment, QueueRules.checkQueues(mine, { isOrdered: true }).violations)
  }
}

/** At least once: done once, and worked on by one at a time. */
export const queueWithLock: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const layout = yield* anyLayout
  const hasPriorities = yield* Random.nextBoolean
  const exclusion = new MutualExclusion(environment, (values) => new Set(values).size === values.length)
  const done = new Set<string>()
  const scenario: Scenario = {
    play: Effect.fnUntraced(function* (client) {
      const recorder = environment.recorder(client)
      const queue = yield* make(layout, hasPriorities)
      const handle = Effect.fnUntraced(function* (item: Uint8Array) {
        const value = textOf(item)
        if (done.has(value)) environment.addViolation(`${client.name} was given ${value}, which was done`)
        recorder.note({ f: "take", path, value })
        yield* exclusion.work(client, value, { path })
        if ((yield* Random.next) < 0.2) return yield* Effect.fail({ _tag: "Refused" })
        return value
      })
      const withLock = Effect.gen(function* () {
        const taken = yield* queue.takeWithLock
        const value = yield* Effect.raceFirst(taken.lost, handle(taken.item))
        if ((yield* Random.next) < 0.2) return yield* taken.requeue
        // An interrupted consumer does not know whether it is done.
        yield* taken.ack
        done.add(value)
      }).pipe(Effect.scoped)
      return Effect.gen(function* () {
        const value = recorder.unique()
        yield* recorder.record({ f: "offer", path, value }, queue.offer(bytesOf(value)), () => ({}))
        if (environment.isFaultFree()) return
        const consume = Effect.tap(queue.consumeOne(handle), (value) => Effect.sync(() => done.add(value)))
        yield* Effect.timeout((yield* Random.nextBoolean) ? consume : withLock, "4 seconds")
      })
    }),
    expected: ["OutcomeUnknown", "TimeoutError", "Refused"],
    survivesDeletion: false,
    judge: Effect.fnUntraced(function* (_truth, zk) {
      const drained = yield* drain(environment, zk, layout, hasPriorities)
      for (const value of drained) if (done.has(value)) environment.addViolation(`${value} is there, which was done`)
      report(environment, QueueRules.checkQueues(environment.history(), { mayRepeat: true }).violations)
    })
  }
  return scenario
})

// ---- internal

const anyLayout = Effect.map(
  Random.nextIntBetween(0, 2),
  (index) => (["curator", "kazoo", "kazooLocking"] as const)[index]!
)

interface AnyQueue extends Queue.Consumer<Uint8Array> {
  readonly offer: (item: Uint8Array, priority?: number) => Effect.Effect<void, unknown>
}

const make = Effect.fnUntraced(function* (layout: Queue.Layout, hasPriorities: boolean) {
  if (hasPriorities) {
    const urgent: AnyQueue = yield* PriorityQueue.make(path, { layout })
    return urgent
  }
  const { offer, ...rest } = yield* Queue.make(path, { layout })
  const plain: AnyQueue = { ...rest, offer: (item) => offer(item) }
  return plain
})

/** Takes all items that are left, in turn. */
const drain = Effect.fnUntraced(function* (
  environment: Environment,
  zk: ZooKeeperClient.Service,
  layout: Queue.Layout,
  hasPriorities: boolean
) {
  const queue = yield* Effect.provideService(make(layout, hasPriorities), ZooKeeper, zk)
  const recorder = environment.recorder({ ...environment.clients[0]!, name: "the judge" })
  const drained: Array<string> = []
  yield* zk.sync("/recipe")
  while (true) {
    const item = yield* recorder.record({ f: "take", path }, queue.poll, (item) =>
      Option.isSome(item) ? { value: textOf(item.value) } : {}
    )
    if (Option.isNone(item)) return drained
    drained.push(textOf(item.value))
  }
}, Effect.scoped)

const report = (environment: Environment, violations: ReadonlyArray<string>) => {
  for (const violation of violations) environment.addViolation(`P12: ${violation}`)
}
