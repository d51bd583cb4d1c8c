/** A lock that is acquired after a wait has time before it, though the session has proved nothing meanwhile. */
import { assert } from "@effect/vitest"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { awaitChildren, holdLock } from "../support/holds.ts"
import { makeLock } from "../support/locks.ts"
import { describeOnServers } from "../support/targets.ts"

/** The part of its timeout for which the session is still proved. */
const partLeft = ({ session }: ZooKeeper.Service) =>
  Effect.map(Clock.monotonicTimeNanos, (now) => Number(session.deadline - now) / 1_000_000 / session.timeout)

describeOnServers("a lock that was waited for", (it) => {
  it.inChroot("is held for a while, whenever the turn comes", function* ({ another, zk }) {
    for (const left of [0.2, 0.05, -0.1]) {
      const first = yield* holdLock(yield* makeLock(zk))
      yield* first.held
      const waiting = yield* another({ sessionTimeout: "4 seconds" })
      const second = yield* Effect.forkChild(
        (yield* makeLock(waiting)).withLock(partLeft(waiting), { timeout: "20 seconds" })
      )
      yield* awaitChildren(zk, "/lock", 2)
      while ((yield* partLeft(waiting)) > left) yield* Effect.sleep("5 millis")
      yield* first.release
      assert.isAbove(yield* Fiber.join(second), 0.25)
    }
  })
})
