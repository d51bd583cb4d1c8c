/** Barriers: no client passes before it is time, and all pass then. */
import * as Barrier from "@effect-zookeeper/recipes/Barrier"
import * as DoubleBarrier from "@effect-zookeeper/recipes/DoubleBarrier"
import { ZooKeeper } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { Recipe, Scenario } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"

export const barrier: Recipe = (environment) =>
  Effect.sync((): Scenario => {
    const path = "/recipe/barrier"
    /** An object for each time that it is known to be up. */
    let up: object | undefined
    // Else no client could tell when it is up.
    const turn = Semaphore.makeUnsafe(1)
    // A client that stops to wait leaves a request on its way.
    const inTurn = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(turn.withPermit(effect))
    return {
      play: Effect.fnUntraced(function* (client) {
        const barrier = yield* Barrier.make(path)
        const create = Effect.andThen(
          barrier.create,
          Effect.sync(() => (up = {}))
        )
        const lift = Effect.andThen(
          Effect.sync(() => (up = undefined)),
          barrier.lift
        )
        const wait = Effect.gen(function* () {
          // A server that lags would show what was before; a sync shows no more than there was when it was asked for.
          const before = up
          yield* client.zk.sync(path)
          yield* barrier.wait(environment.isFaultFree() ? {} : { timeout: yield* Random.nextIntBetween(0, 2000) })
          if (before !== undefined && before === up)
            environment.addViolation(`${client.name} passed the barrier that was up`)
        }).pipe(Effect.catchTag(["ConnectionLoss", "RequestTimeout", "SessionExpired"], () => Effect.void))
        return Effect.gen(function* () {
          if (environment.isFaultFree()) {
            yield* inTurn(create)
            const waiting = yield* Effect.forkChild(wait)
            yield* Effect.sleep("50 millis")
            yield* inTurn(lift)
            yield* Fiber.join(waiting)
            return
          }
          const kind = yield* Random.next
          yield* kind < 0.25 ? inTurn(create) : kind < 0.4 ? inTurn(lift) : wait
        })
      }),
      survivesDeletion: false
    }
  })

/** How long a member that has not left may be seen, in milliseconds. */
const AFTERLIFE = 6000

/** All together, and none alone. */
export const doubleBarrier: Recipe = (environment) =>
  Effect.sync((): Scenario => {
    const path = "/recipe/double"
    const size = environment.clients.length
    /** Until when the member of each round may be there, at least, and may be inside. A client counts once. */
    const members: Array<{ readonly client: SimulatedClient; until: number; insideUntil: number }> = []
    return {
      play: Effect.fnUntraced(function* (client) {
        const barrier = yield* DoubleBarrier.make(path, { size })
        const turn = Semaphore.makeUnsafe(1)
        const round = Effect.fnUntraced(function* (own: (typeof members)[number]) {
          const timeout = yield* Random.nextIntBetween(0, 4000)
          const options = environment.isFaultFree() ? {} : { timeout }
          const begun = environment.now()
          yield* barrier.enter(options)
          own.insideUntil = Number.POSITIVE_INFINITY
          const there = members.filter(({ until }) => until >= begun)
          const areThere = new Set(there.map(({ client }) => client)).size >= size
          const areInside = members.some((other) => other !== own && other.insideUntil >= begun)
          if (!areThere && !areInside) environment.addViolation(`${client.name} entered without the others`)
          yield* Effect.sleep(yield* Random.nextBetween(0, 300))
          yield* barrier.leave(options)
        })
        return turn.withPermit(
          Effect.suspend(() => {
            const own = { client, until: Number.POSITIVE_INFINITY, insideUntil: 0 }
            members.push(own)
            return Effect.onExit(round(own), (exit) =>
              Effect.sync(() => {
                own.until = environment.now() + (Exit.isSuccess(exit) ? 0 : AFTERLIFE)
                own.insideUntil = Math.min(own.insideUntil, own.until)
              })
            )
          })
        )
      }),
      judge: Effect.fnUntraced(function* (_truth, zk) {
        // As if all had died inside.
        yield* zk.createWithParents(`${path}/ready`).pipe(Effect.catchTag("NodeExists", () => Effect.void))
        const alone = yield* Effect.provideService(DoubleBarrier.make(path, { size }), ZooKeeper, zk)
        const entered = yield* Effect.result(alone.enter({ timeout: "3 seconds" }))
        if (Result.isSuccess(entered)) environment.addViolation("a lone one entered what others had left open")
        else if (entered.failure._tag !== "WaitTimeout")
          environment.addViolation(`a lone one was told ${entered.failure._tag}`)
      }, Effect.scoped)
    }
  })
