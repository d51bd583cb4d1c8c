/** Recipes with several holders at a time: the read-write lock, and the semaphore. */
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as ReadWriteLock from "@effect-zookeeper/recipes/ReadWriteLock"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { Recipe, Environment } from "../RecipeSimulation.ts"
import { MutualExclusion } from "./MutualExclusion.ts"
import { anyOnRevoke, Requests } from "./revoking.ts"

/** Readers together, a writer alone, and no writer between one and its own reads afterwards. */
export const readWriteLock: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  yield* Effect.orDie(environment.clients[0]!.zk.create("/resource"))
  const exclusion = new MutualExclusion(
    environment,
    (kinds) => kinds.length <= 1 || kinds.every((kind) => kind === "reader")
  )
  const requests = new Requests(environment)
  let writers = 0
  return {
    play: Effect.fnUntraced(function* (client) {
      const onRevoke = yield* anyOnRevoke
      const lock = yield* ReadWriteLock.make("/recipe/read-write", {
        onRevoke,
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      const writing = (held: Held) => {
        writers++
        return Effect.andThen(exclusion.work(client, "writer", held, held), requests.hear(onRevoke, lock, held))
      }
      const reading = (held: Held) =>
        Effect.andThen(exclusion.work(client, "reader", held), requests.hear(onRevoke, lock, held))
      const write = lock.write.withLock(writing)
      const read = lock.read.withLock((held) =>
        Effect.gen(function* () {
          yield* reading(held)
          if ((yield* Random.next) > 0.2) return
          const upgraded = yield* Effect.result(lock.write.withLock(Effect.void))
          if (Result.isSuccess(upgraded)) environment.addViolation(`${client.name} reads, and was let in to write`)
        })
      )
      /** Within the guarded effect of `withLock` the lock to downgrade is known. */
      const known = Effect.gen(function* () {
        const held = yield* lock.write.withLock((held) => Effect.andThen(writing(held), lock.read.acquire()))
        yield* Effect.raceFirst(held.lost, reading(held))
      })
      const downgrade = Effect.gen(function* () {
        const writing = yield* Scope.fork(yield* Effect.scope)
        const written = yield* Effect.provideService(lock.write.acquire(), Scope.Scope, writing)
        const own = ++writers
        yield* Effect.raceFirst(written.lost, exclusion.work(client, "writer", written, written))
        const session = client.zk.session.id
        const held = yield* lock.read.acquire({ downgrade: written })
        const isExcused = [written, held].some(({ path }) => environment.isExcused(client, session, path))
        const compare = Effect.sync(() => {
          if (own === writers || isExcused) return
          environment.addViolation(`P8: another wrote while ${client.name} went from writing to reading`)
        })
        yield* Effect.raceFirst(held.lost, compare)
        yield* Scope.close(writing, Exit.void)
        yield* Effect.raceFirst(held.lost, exclusion.work(client, "reader", held))
      })
      return Effect.gen(function* () {
        const rounds = [read, read, write, write, Effect.scoped(downgrade), Effect.scoped(known)]
        const round = rounds[yield* Random.nextIntBetween(0, rounds.length - 1)]!
        yield* requests.around(client, onRevoke, lock, round)
      })
    }),
    judge: () => Effect.sync(() => exclusion.judge())
  }
})

/** Never more permits than there are. */
export const semaphore: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  yield* Effect.orDie(environment.clients[0]!.zk.create("/resource"))
  const requests = new Requests(environment)
  const permits = yield* Random.nextIntBetween(1, 3)
  const isShared = yield* Random.nextBoolean
  const exclusion = new MutualExclusion(
    environment,
    (kinds) => kinds.reduce((sum, kind) => sum + Number(kind), 0) <= permits
  )
  return {
    play: Effect.fnUntraced(function* (client) {
      const onRevoke = yield* anyOnRevoke
      const semaphore = yield* Semaphore.make("/recipe/semaphore", {
        onRevoke,
        permits: isShared ? { at: "/recipe/permits", initial: permits } : permits,
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      return Effect.gen(function* () {
        const many = yield* Random.nextIntBetween(1, permits)
        const timeout = (yield* Random.nextBoolean) ? 0 : 2000
        const options = (yield* Random.next) < 0.2 && !environment.isFaultFree() ? { timeout } : undefined
        const working = semaphore.withPermits(
          many,
          (held) =>
            Effect.andThen(
              // Only where one alone has a permit do tokens grow.
              exclusion.work(client, String(many), held, permits === 1 ? held[0] : undefined),
              requests.hear(onRevoke, semaphore, ...held)
            ),
          options
        )
        const { holders: contenders, revoke } = semaphore
        yield* requests.around(client, onRevoke, { contenders, revoke }, working)
      })
    }),
    judge: () => Effect.sync(() => exclusion.judge())
  }
})
