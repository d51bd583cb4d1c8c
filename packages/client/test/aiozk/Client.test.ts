/**
 * The cases of aiozk's `test_client.py`. The conformance suite has test_children ("agree with each other"), test_raw_get
 * ("keeps text, any bytes, and none") and test_raw_set ("compares versions, of which 0 is one and -1 is any").
 */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import {
  connectProxied,
  fourLetterWord,
  itBesideRoot,
  recordStates,
  awaitCondition,
  watchesBelow
} from "../support/faults.ts"
import { connect, failure, text, now } from "../support/clients.ts"

describe("aiozk test_client.py", () => {
  itBesideRoot(
    "interrupting a loop over watches harms nothing and leaves no watch (test_cancel_crash)",
    function* ({ beside: zk, chroot, connectString }) {
      const other = yield* connect({ servers: connectString })
      yield* zk.create("/a", { data: "0" })
      let turns = 0
      const loop = yield* Effect.forkChild(
        Effect.forever(
          Effect.gen(function* () {
            const { changed } = yield* zk.getAndWatch("/a")
            turns++
            yield* changed
          })
        ),
        now
      )
      yield* awaitCondition(() => turns === 1)
      yield* other.set("/a", "1")
      yield* awaitCondition(() => turns === 2)
      yield* Fiber.interrupt(loop)
      yield* other.set("/a", "2")
      assert.strictEqual(text(yield* zk.getData("/a")), "2")
      assert.strictEqual(turns, 2)
      assert.strictEqual(yield* watchesBelow(chroot), 0)
    }
  )

  itLive("closing a client that has no session yet ends at once (test_closed_close)", function* () {
    const proxy = yield* FaultProxy.make(TestServer.target())
    yield* proxy.blackHole("down")
    const starting = yield* Effect.forkChild(Effect.scoped(connect({ servers: proxy.connectString })), now)
    yield* proxy.awaitFrames({ direction: "up", op: "connect" })
    const exit = yield* Effect.andThen(Fiber.interrupt(starting), Fiber.await(starting)).pipe(
      Effect.timeout("5 seconds")
    )
    assert.isTrue(Exit.hasInterrupts(exit))
    yield* proxy.heal
    yield* proxy.awaitSeen(({ accepted, current }) => accepted === 1 && current === 0)
  })

  itLive(
    "a zxid ahead of every server fails with a typed error, and the session is not given up for it (test_inconsistent_zxid)",
    function* () {
      const { beside, proxy, zk } = yield* connectProxied("zxid", {
        sessionTimeout: "3 seconds",
        connectTimeout: "1 second",
        sessionExpiry: "fail"
      })
      yield* beside.create("/a")
      const states = yield* recordStates(zk)
      yield* proxy.rule({
        match: { direction: "down", op: 4 },
        action: {
          _tag: "Edit",
          edit: (body) => (new DataView(body.buffer, body.byteOffset).setBigInt64(4, 1n << 62n), body)
        }
      })
      yield* zk.get("/a")
      yield* proxy.dropAll("rst")
      yield* awaitCondition(() => zk.session.state._tag === "EnsembleBehind")
      assert.strictEqual(zk.session.id === 0n, false)
      yield* failure(zk.get("/a"), "SessionExpired")
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "EnsembleBehind", "Expired"])
    }
  )

  itLive(
    "a closed client can be followed by another, with a session of its own (test_session_reconnect)",
    function* () {
      const servers = TestServer.connectString()
      const first = yield* Effect.scoped(
        Effect.map(connect({ servers }), ({ session }) => ({ session, id: session.id }))
      )
      assert.strictEqual(first.session.state._tag, "Closed")
      const second = yield* Effect.scoped(
        Effect.map(connect({ servers }), ({ session }) => ({ session, id: session.id }))
      )
      assert.strictEqual(second.session.state._tag, "Closed")
      assert.notStrictEqual(second.id, first.id)
      // Without the connections, which the server may not have closed yet.
      const [sessions] = (yield* fourLetterWord("dump")).split("Connections dump:")
      for (const { id } of [first, second]) {
        assert.notInclude(sessions, `0x${BigInt.asUintN(64, id).toString(16)}`)
      }
      // A caller that still has the closed client is told so at once.
      assert.strictEqual((yield* askClosed)._tag, "SessionClosed")
    }
  )
})

/** The error of a request of a closed client. */
const askClosed = Effect.gen(function* () {
  const closed = yield* Effect.scoped(connect({ servers: TestServer.connectString() }))
  return yield* failure(closed.exists("/"), "SessionClosed")
})
