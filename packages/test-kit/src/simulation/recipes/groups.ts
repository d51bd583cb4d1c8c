/**
 * What brings processes together: barriers, members, items divided among them, and znodes that come back.
 *
 * @since 0.1.0
 */
import * as Allocator from "@effect-zookeeper/recipes/Allocator"
import * as Barrier from "@effect-zookeeper/recipes/Barrier"
import * as DoubleBarrier from "@effect-zookeeper/recipes/DoubleBarrier"
import * as Party from "@effect-zookeeper/recipes/Party"
import * as PersistentNode from "@effect-zookeeper/recipes/PersistentNode"
import * as Guid from "@effect-zookeeper/client/Guid"
import { ZooKeeper } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Recipe, Stage, Truth } from "../RecipeWorld.ts"
import { Exclusion } from "./Exclusion.ts"

/** @category recipes @since 0.1.0 */
export const barrier: Recipe = (stage: Stage) =>
  Effect.succeed({
    play: Effect.fnUntraced(function* () {
      const barrier = yield* Barrier.make("/recipe/some/barrier")
      return Effect.gen(function* () {
        if (stage.isPeace()) {
          yield* barrier.create
          yield* barrier.lift
          // Another may have put it up once more, and lifts it.
          return yield* barrier.wait({ timeout: "20 seconds" })
        }
        if (yield* Random.nextBoolean) return yield* barrier.wait({ timeout: "2 seconds" })
        yield* barrier.create
        yield* Effect.sleep(yield* Random.nextBetween(0, 500))
        yield* barrier.lift
      })
    })
  })

/** @category recipes @since 0.1.0 */
export const doubleBarrier: Recipe = (stage: Stage) =>
  Effect.succeed({
    play: () =>
      Effect.map(Effect.context<ZooKeeper>(), (context) =>
        Effect.gen(function* () {
          // In peace they come one by one, and none waits for another.
          const barrier = yield* DoubleBarrier.make("/recipe/double", { size: stage.isPeace() ? 1 : 2 })
          const timeout = (yield* Random.nextBoolean) ? "800 millis" : "4 seconds"
          yield* barrier.enter({ timeout })
          yield* Effect.sleep(yield* Random.nextBetween(0, 200))
          yield* barrier.leave({ timeout })
        }).pipe(Effect.scoped, Effect.provideContext(context))
      )
  })

/** @category recipes @since 0.1.0 */
export const persistentNode: Recipe = (stage: Stage) =>
  Effect.succeed({
    play: Effect.fnUntraced(function* (subject) {
      const zk = subject.zk
      const mode = (["ephemeral", "ephemeralSequential", "persistent"] as const)[yield* Random.nextIntBetween(0, 2)]!
      const node = yield* PersistentNode.make(`/recipe/nodes/${subject.name}`, { mode })
      const context = yield* Effect.context<ZooKeeper>()
      const lasting = Effect.gen(function* () {
        yield* node.setData(yield* Guid.make)
        const path = yield* node.present
        if (!stage.isPeace()) return
        const { data, stat } = yield* zk.get(path)
        const owner = mode === "persistent" ? 0n : zk.session.id
        if (stat.ephemeralOwner !== owner) stage.accuse(`${path} is of ${stat.ephemeralOwner.toString(16)} in peace`)
        if (data.length !== 36) stage.accuse(`${path} does not hold what was set`)
      })
      const passing = Effect.gen(function* () {
        const path = `/recipe/nodes/${subject.name}-${yield* Guid.make}`
        const wait = yield* Random.nextBoolean
        yield* PersistentNode.make(path, { mode, wait }).pipe(Effect.provideContext(context))
        yield* Effect.sleep(yield* Random.nextBetween(0, 100))
      }).pipe(Effect.scoped)
      return Effect.flatMap(Random.nextBoolean, (isLasting) => (isLasting || stage.isPeace() ? lasting : passing))
    }),
    judge: (truth) =>
      Effect.sync(() => {
        for (const path of below(truth, "/recipe/nodes/")) stage.accuse(`P9: ${path} is left`)
      })
  })

/** @category recipes @since 0.1.0 */
export const party: Recipe = (stage: Stage) =>
  Effect.succeed({
    play: Effect.fnUntraced(function* (subject) {
      const layout = (yield* Random.nextBoolean) ? "curator" : "aiozk"
      const party = yield* Party.make(`/recipe/party-${layout}`, { layout })
      return Effect.gen(function* () {
        const onConflict = (["fail", "wait", "suffix"] as const)[yield* Random.nextIntBetween(0, 2)]
        const member = yield* party.join({
          id: stage.isPeace() ? yield* Guid.make : `member-${yield* Random.nextIntBetween(1, 3)}`,
          data: subject.name,
          onConflict,
          patience: "1 second"
        })
        const isSeen = (yield* party.members).has(member.id)
        if (!isSeen && member.status._tag !== "Blocked")
          stage.accuse(`${subject.name} does not see itself in the party`)
        yield* Effect.sleep(yield* Random.nextBetween(0, 500))
      }).pipe(Effect.scoped)
    }),
    expected: ["MemberExists"]
  })

/** @category recipes @since 0.1.0 */
export const allocator: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  yield* Effect.orDie(stage.subjects[0]!.zk.create("/resource"))
  const items = Array.from({ length: 6 }, (_, index) => ({ name: `item-${index}`, exclusion: new Exclusion(stage) }))
  return {
    play: Effect.fnUntraced(function* (subject) {
      const allocator = yield* Allocator.make("/recipe/allocator", {
        id: subject.name,
        items: items.map(({ name }) => name),
        quiet: "200 millis",
        onDisconnect: (yield* Random.nextBoolean) ? "stop" : "continue"
      })
      const alone = Semaphore.makeUnsafe(1)
      const working = allocator.whileAllocated((names) =>
        Effect.forEach(
          items.filter(({ name }) => names.includes(name)),
          ({ exclusion, name }) =>
            Option.match(allocator.held(name), {
              // Lost in this moment.
              onNone: () => Effect.void,
              onSome: (held) => exclusion.work(subject, "owner", held)
            }),
          { concurrency: "unbounded", discard: true }
        )
      )
      const owning = Stream.runDrain(Stream.takeUntil(allocator.changes, ({ length }) => length > 0))
      return Effect.suspend(() =>
        // There are more items than clients: everybody has some in the end.
        stage.isPeace() ? owning : Effect.asVoid(alone.withPermit(Effect.timeoutOption(working, "1500 millis")))
      )
    })
  }
})

// ---- internal

const below = (truth: Truth, prefix: string) => [...truth.keys()].filter((path) => path.startsWith(prefix))
