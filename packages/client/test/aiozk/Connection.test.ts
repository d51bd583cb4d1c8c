/** The cases of aiozk's `test_connection.py`, by what an application sees of them. */
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { closable } from "@effect-zookeeper/test-kit/Expectations"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { PromiseClient, SessionClosed } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { numbersBelow, connect, now } from "../support/clients.ts"

/** A client in a Scope of its own, behind a proxy. */
const setUp = Effect.fnUntraced(function* (name: string) {
  const { beside, chroot, proxy } = yield* Faults.connectProxied(name)
  const options = { servers: proxy.connectString + chroot, sessionTimeout: "1 second" } as const
  const [zk, close] = yield* closable(connect(options))
  return { zk, beside, proxy, close }
})

describe("aiozk test_connection.py", () => {
  Faults.itBehindProxy(
    "closing lets what is in flight be answered, however often it is closed (test_close_connection_in_state_closing_do_not_performs_abort)",
    function* ({ beside, chroot, proxy }) {
      const zk = yield* Effect.promise(() => PromiseClient.connect(proxy.connectString + chroot))
      yield* proxy.shape("down", { delay: Duration.millis(50) })
      // All of them are on their way when the client is closed, and again, while it closes.
      const creates = Array.from({ length: 100 }, (_, index) => zk.create(`/n${index}`))
      const paths = yield* Effect.promise(async () => {
        await Promise.all([zk.close(), zk.close()])
        return Promise.all(creates)
      })
      yield* Effect.promise(() => zk.close())
      assert.strictEqual(new Set(paths).size, 100)
      assert.lengthOf(yield* beside.getChildren("/"), 100)
      const refused = yield* Effect.promise(() => zk.exists("/").catch((error: unknown) => error))
      assert.instanceOf(refused, SessionClosed)
    }
  )

  itLive(
    "a close that gets no answer ends in time and leaves no connection (test_close_cancels_read_loop_task)",
    function* () {
      const { close, proxy, zk } = yield* setUp("close-unanswered")
      const { current } = yield* proxy.seen
      yield* proxy.blackHole("down")
      const [elapsed] = yield* Effect.timed(close)
      // A close may take two seconds, and more on a busy machine.
      assert.isAtMost(Duration.toMillis(elapsed), 7000)
      assert.strictEqual(zk.session.state._tag, "Closed")
      yield* proxy.heal
      yield* proxy.awaitSeen((seen) => seen.current === current - 1)
      // The other one is untouched.
      assert.strictEqual(current, 2)
    }
  )

  itLive("requests that are pending when it closes fail with that, each once (test_connection_abort)", function* () {
    const { close, proxy, zk } = yield* setUp("close-pending")
    yield* proxy.blackHole("down")
    let told = 0
    const pending = yield* Effect.forEach(numbersBelow(20), (index) =>
      Effect.forkChild(
        Effect.onExit(index % 2 === 0 ? zk.exists("/") : Effect.asVoid(zk.create(`/n${index}`)), () =>
          Effect.sync(() => told++)
        ),
        now
      )
    )
    yield* close
    for (const [index, fiber] of pending.entries()) {
      const error = yield* Effect.flip(Fiber.join(fiber))
      // A write may have been applied, and its caller is told that rather than that the client was closed.
      assert.strictEqual(error._tag, index % 2 === 0 ? "SessionClosed" : "ConnectionLoss")
      if (error._tag === "ConnectionLoss") assert.isTrue(error.maybeApplied)
    }
    assert.strictEqual(told, 20)
  })
})
