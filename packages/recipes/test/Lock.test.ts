import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Lock from "../src/Lock.ts"
import { by, describeOnServers, eventually, failure, place, text } from "./targets.ts"

describeOnServers("a lock", (it) => {
  it.effect("is held by one, and its znode goes when it is released", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const lock = yield* by(zk)(Lock.make("/lock", { identifier: "me" }))
      const seen = yield* lock.withLock((held) =>
        Effect.gen(function* () {
          assert.strictEqual(
            (yield* zk.stat(held.path)).pipe((o) => (o._tag === "Some" ? o.value.czxid : 0n)),
            held.fencingToken
          )
          return (yield* lock.contenders).map(({ identifier }) => text(identifier))
        })
      )
      assert.deepStrictEqual(seen, ["me"])
      assert.deepStrictEqual(yield* zk.getChildren("/lock"), [])
    })
  )

  it.effect("refuses a try while another holds it, and leaves no znode", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const mine = yield* by(zk)(Lock.make("/lock"))
      const theirs = yield* by(yield* another())(Lock.make("/lock"))
      yield* mine.acquire()
      const busy = yield* failure(theirs.withLock(Effect.die("not held"), { timeout: 0 }), "LockTimeout")
      assert.strictEqual(busy.timeout, 0)
      yield* eventually(zk.getChildren("/lock"), (names) => names.length === 1)
    })
  )

  it.effect("interrupts what it guards when its znode is deleted", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const lock = yield* by(zk)(Lock.make("/lock"))
      const began = yield* Deferred.make<string>()
      let finalized = false
      const fiber = yield* lock
        .withLock((held) =>
          Deferred.succeed(began, held.path).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => (finalized = true)))
          )
        )
        .pipe(Effect.forkChild)
      yield* zk.delete(yield* Deferred.await(began))
      const lost = yield* failure(Fiber.join(fiber), "LockLost")
      assert.strictEqual(lost.reason, "deleted")
      assert.isTrue(finalized)
    })
  )

  it.effect("passes to a waiter when the session of its holder ends", () =>
    Effect.gen(function* () {
      const { another, expire, zk } = yield* place
      const other = yield* another()
      const mine = yield* by(zk)(Lock.make("/lock"))
      const theirs = yield* by(other)(Lock.make("/lock"))
      const held = yield* theirs.acquire()
      const waiting = yield* Effect.forkChild(mine.withLock((held) => Effect.succeed(held.fencingToken)))
      yield* eventually(mine.contenders, (all) => all.length === 2)
      yield* expire(other)
      assert.isAbove(Number(yield* Fiber.join(waiting)), Number(held.fencingToken))
      assert.strictEqual((yield* failure(held.lost, "LockLost")).reason, "session")
    })
  )
})
