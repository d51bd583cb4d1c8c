/**
 * The cases of sessions and connections from the suites of other clients. The number is the row of the list of telling tests;
 * K is kazoo, F Curator's framework.
 */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Faults from "../support/faults.ts"
import { connect, failure, text, now } from "../support/clients.ts"

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

  Faults.itBehindProxyWith({ sessionTimeout: "1 second" })(
    "say Expired by the client's own clock when no server is left to say it (33, F testSessionExpirationFromTimeout)",
    function* ({ proxy, zk }) {
      const states = yield* Faults.recordStates(zk)
      yield* Faults.cutOff(proxy)
      yield* Faults.awaitCondition(() => states.includes("Expired"))
      yield* Faults.awaitCondition(() => states.at(-1) === "Connecting")
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Expired", "Connecting"])
    }
  )

  Faults.itBehindProxyWith({ sessionTimeout: "4 seconds" })(
    "do not when it comes back in time (33, F testReconnectWithoutExpiration)",
    function* ({ proxy, zk }) {
      const { id } = zk.session
      const states = yield* Faults.recordStates(zk)
      yield* Faults.cutOff(proxy)
      // A quarter of its time goes by.
      yield* Effect.sleep("1 second")
      yield* proxy.accept("forward")
      yield* Faults.awaitCondition(() => states.at(-1) === "Connected" && states.length > 1)
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Connected"])
      assert.strictEqual(zk.session.id, id)
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

  itLive(
    "without a quorum serve reads to a client that allows it, and writes again with one (16, K test_read_only)",
    { timeout: 120_000 },
    function* () {
      const ensemble = yield* ZooKeeperEnsemble.make({
        size: 2,
        localSessions: "upgrading",
        startTimeout: "90 seconds"
      })
      const [first, second] = ensemble.servers
      if (first === undefined || second === undefined) return assert.fail("an ensemble of two")
      const zk = yield* connect({
        servers: ensemble.connectString,
        allowReadOnly: true,
        sessionTimeout: "30 seconds",
        retry: Faults.RETRY_SOON
      })
      const { id } = zk.session
      yield* zk.create("/a", { data: "a" })
      yield* zk.create("/e", { mode: "ephemeral" })
      assert.isFalse(zk.session.readOnly)
      yield* second.kill
      yield* Faults.awaitCondition(() => zk.session.readOnly)
      assert.strictEqual(text(yield* zk.getData("/a")), "a")
      const error = yield* failure(zk.create("/b"), "ServerRefused")
      assert.strictEqual(error.name, "NotReadOnly")
      yield* second.launch
      yield* Faults.awaitCondition(() => zk.session.state._tag === "Connected" && !zk.session.state.readOnly)
      // The session was not given up for it, and what it owns is still there.
      assert.strictEqual(zk.session.id, id)
      yield* zk.create("/b")
      assert.isTrue(yield* zk.exists("/e"))
    }
  )
})
