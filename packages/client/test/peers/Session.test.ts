/**
 * The cases of sessions and connections from the suites of other clients. The number is the row of the list of telling tests;
 * K is kazoo, F Curator's framework.
 *
 * Held elsewhere: 16 (K test_read_only) by session's Session.ensemble "of which one is left serves reads within seconds ..."; 33
 * (F testSessionExpirationFromTimeout) by its Liveness.silence "of four thirds without a session is an expiry ...", and
 * (F testReconnectWithoutExpiration) by its Connection.faults "because it answers with refuse is tried until it can be ...".
 */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { assert, describe } from "@effect/vitest"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Faults from "../support/faults.ts"
import { failure, text, now } from "../support/clients.ts"

describe("the states of a session", () => {
  Faults.itBehindProxy(
    "report its end, and a listener that fails then harms no other (3, K test_session_expire, test_bad_session_expire)",
    function* ({ proxy, zk }) {
      const bad = yield* Effect.forkChild(
        Stream.runForEach(zk.session.states, ({ _tag }) =>
          _tag === "Expired" ? Effect.die(new Error("a listener that fails")) : Effect.void
        ),
        now
      )
      const states = yield* Faults.recordStates(zk)
      yield* Faults.expire(zk, proxy)
      yield* Faults.awaitCondition(() => states.includes("Expired") && states.at(-1) === "Connected")
      assert.isTrue((yield* Fiber.await(bad))._tag === "Failure")
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Expired", "Connecting", "Connected"])
      yield* zk.create("/a", { mode: "ephemeral" })
      yield* Faults.breakConnections(zk, proxy)
      yield* Faults.awaitCondition(() => states.length === 7)
    }
  )

  Faults.itBehindProxy(
    "are reported when they change, however often a connection is tried (11, K test_listener_only_called_on_real_state_change)",
    function* ({ proxy, zk }) {
      const states = yield* Faults.recordStates(zk)
      const { accepted } = yield* proxy.seen
      yield* proxy.accept("close")
      yield* proxy.dropAll("rst")
      yield* proxy.awaitSeen((seen) => seen.accepted >= accepted + 5)
      yield* proxy.accept("forward")
      yield* Faults.awaitCondition(() => states.at(-1) === "Connected" && states.length > 1)
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Connected"])
    }
  )
})

describe("the servers of a session", () => {
  Faults.itBehindProxy(
    "can be replaced while it runs, its chroot cannot (4, K test_update_host_list)",
    function* ({ chroot, proxy, zk }) {
      const other = yield* FaultProxy.make(TestServer.target())
      const { id } = zk.session
      yield* zk.create("/a", { data: "a" })
      const error = yield* failure(zk.updateServers(`${other.connectString}/elsewhere`), "InvalidArgument")
      assert.strictEqual(error.argument, "servers")
      assert.strictEqual((yield* other.seen).accepted, 0)
      yield* zk.updateServers(other.connectString + chroot)
      // A string that names none keeps the one there is.
      yield* zk.updateServers(other.connectString)
      yield* Faults.cutOff(proxy)
      yield* other.awaitFrames({ direction: "down", op: "connect" })
      assert.strictEqual(text(yield* zk.getData("/a")), "a")
      assert.strictEqual(zk.session.id, id)
    }
  )
})
