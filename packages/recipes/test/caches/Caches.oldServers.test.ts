/**
 * Caches, and what runs beside them, on whatever release the real server is of: before 3.6 it refuses persistent watches, and
 * closes the connection on which it was asked for one.
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as NodeCache from "../../src/NodeCache.ts"
import * as TreeCache from "../../src/TreeCache.ts"
import { awaitCondition, describeOnServers, numbersBelow, text, withClient, inScope } from "../support/targets.ts"

describeOnServers("a cache of a new session", (it) => {
  it.inChroot("is there at once, every time", function* ({ another, zk }) {
    yield* zk.create("/n")
    for (const _ of numbersBelow(20)) {
      yield* inScope(function* () {
        const client = yield* another()
        const cache = yield* withClient(client)(TreeCache.make("/"))
        assert.isTrue(Option.isSome(cache.get("/n")))
      }).pipe(Effect.timeout("10 seconds"))
    }
  })

  it.inChroot("leaves the session of use when its connection is lost with its first watch", function* (given) {
    const { zk: beside } = given
    const { link, zk } = yield* given.breakable()
    yield* beside.create("/n", { data: "1" })
    yield* link.loseRequest(Operations.addWatch)
    const making = yield* Effect.forkChild(withClient(zk)(NodeCache.make("/n")))
    // As long as the connection is lost and found, and longer.
    for (const _ of numbersBelow(50)) {
      assert.isTrue(yield* Effect.timeout(zk.exists("/n"), "10 seconds"))
      yield* Effect.sleep("10 millis")
    }
    const cache = yield* Fiber.join(making)
    yield* beside.set("/n", "2")
    yield* awaitCondition(() => Option.exists(cache.get(), ({ data }) => text(data) === "2"))
  })
})
