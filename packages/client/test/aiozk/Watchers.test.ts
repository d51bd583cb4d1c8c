/**
 * The case of aiozk's `test_watchers.py` that stands still. The others are those of `dataChanges` and `childrenChanges` in
 * the conformance suite ("streams of values", "after a lost connection"), and of its one-shot watches.
 */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Faults from "../support/faults.ts"
import { numbersBelow, connect } from "../support/clients.ts"

describe("aiozk test_watchers.py", () => {
  it.live(
    "a thousand watches all report that the session was lost while the process stood still (test_multi_watcher)",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ tickTime: 100 })
        const proxy = yield* FaultProxy.make(server)
        const { root: other } = yield* Faults.makeChroot("multi", server.connectString)
        const zk = yield* connect({
          servers: proxy.connectString,
          sessionTimeout: "1 second",
          retry: Faults.RETRY_SOON
        })
        const { id } = zk.session
        yield* other.create("/m")
        yield* Effect.forEach(numbersBelow(1000), (index) => zk.create(`/m/${index}`, { mode: "ephemeral" }), {
          concurrency: "unbounded"
        })
        const outcomes = yield* Effect.forEach(
          numbersBelow(1000),
          (index) =>
            Effect.flatMap(zk.getAndWatch(`/m/${index}`), ({ changed }) =>
              Effect.forkScoped(Effect.flip(changed), { startImmediately: true })
            ),
          { concurrency: "unbounded" }
        )
        // The server goes by its own clock: by the end of this it has given the session up.
        const until = performance.now() + 1600
        while (performance.now() < until);
        const errors = yield* Effect.forEach(outcomes, Fiber.join)
        assert.isTrue(errors.every((error) => error._tag === "SessionExpired" && error.sessionId === id))
        yield* Faults.awaitState(zk, "Connected")
        assert.notStrictEqual(zk.session.id, id)
        yield* zk.sync()
        assert.deepStrictEqual(yield* zk.getChildren("/m"), [])
      })
  )
})
