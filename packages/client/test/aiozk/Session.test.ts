/** The cases of aiozk's `test_session.py`, by what an application sees of them. */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ScriptedServer from "@effect-zookeeper/test-kit/ScriptedServer"
import { Session } from "@effect-zookeeper/session/Session"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce, inScope } from "@effect-zookeeper/test-kit/Expectations"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { makeSession } from "../../../session/src/internal/makeSession.ts"
import { ZooKeeper } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"
import * as Frames from "../../../session/test/support/frames.ts"
import { numbersBelow, connect, failure, text, now } from "../support/clients.ts"

describe("aiozk test_session.py: starting and closing", () => {
  itLive(
    "starting a client that has started gives the same one, on one connection (test_start_session_twice)",
    function* () {
      const proxy = yield* FaultProxy.make(TestServer.target())
      const runtime = ManagedRuntime.make(ZooKeeper.layer({ servers: proxy.connectString }))
      const id = () => runtime.runPromise(Effect.map(ZooKeeper.ZooKeeper, ({ session }) => session.id))
      const [first, second] = yield* Effect.promise(() => Promise.all([id(), id()]))
      const third = yield* Effect.promise(id)
      assert.strictEqual(first, second)
      assert.strictEqual(first, third)
      assert.strictEqual((yield* proxy.seen).accepted, 1)
      yield* Effect.promise(() => runtime.dispose())
    }
  )

  itLive("closing a client that was never started does nothing (test_close_not_started)", function* () {
    const proxy = yield* FaultProxy.make(TestServer.target())
    const runtime = ManagedRuntime.make(ZooKeeper.layer({ servers: proxy.connectString }))
    yield* Effect.promise(() => runtime.dispose())
    assert.strictEqual((yield* proxy.seen).accepted, 0)
  })

  // A watch that ends is removed at the server: an older one refuses that, and closes the connection.
  const quiet = "closing says nothing in the log (test_close_produces_no_error_log)"
  it.live.skipIf(!TestServer.isAtLeast("3.5.0"))(TestServer.needs("3.5.0", quiet), () => {
    const log = Faults.recordWarnings()
    return Effect.gen(function* () {
      const { chroot, proxy } = yield* Faults.connectProxied("quiet")
      yield* inScope(function* () {
        const zk = yield* connect({ servers: proxy.connectString + chroot })
        const { changed } = yield* zk.existsAndWatch("/a")
        yield* Effect.forkScoped(Effect.exit(changed), now)
        yield* zk.create("/b", { mode: "ephemeral" })
      })
      assert.deepStrictEqual(log.warnings, [])
    }).pipe(Effect.provide(log.layer))
  })

  it.live(
    "a session that comes to an end by itself is logged and reported (test_repair_loop_task_cancellation_produces_error_log)",
    () => {
      const log = Faults.recordWarnings()
      return Effect.gen(function* () {
        const { proxy, zk } = yield* Faults.connectProxied("ended")
        const states = yield* Faults.recordStates(zk)
        yield* Faults.expire(zk, proxy)
        yield* Faults.awaitCondition(() => states.includes("Expired"))
        assert.deepStrictEqual(log.warnings.filter((line) => line.includes("expired")).length, 1)
      }).pipe(Effect.provide(log.layer))
    }
  )

  Faults.itBehindProxy(
    "closing ends the heartbeat, one that is not answered too (test_session_close_heartbeat_cancellation)",
    function* ({ chroot, proxy }) {
      yield* proxy.rule({ match: { direction: "down", op: Op.ping }, action: { _tag: "Hold" }, count: 100 })
      const elapsed = yield* inScope(function* () {
        yield* connect({ servers: proxy.connectString + chroot, sessionTimeout: "3 seconds" })
        yield* proxy.awaitFrames({ direction: "up", op: Op.ping, connection: 2 })
      }).pipe(Effect.timed)
      // A second until the first ping. A close that waited for its answer would take two more.
      assert.isBelow(Duration.toMillis(elapsed[0]), 3000)
      const { frames } = yield* proxy.seen
      const up = frames.filter(({ connection, direction }) => connection === 2 && direction === "up")
      assert.strictEqual(up.at(-1)?.op, Op.closeSession)
    }
  )
})

describe("aiozk test_session.py: requests", () => {
  Faults.itBehindProxy(
    "interruption reaches the waiting caller, and the others get their own answers (test_send_canceled)",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "a" })
      yield* zk.create("/b", { data: "b" })
      yield* proxy.blackHole("down")
      const interrupted = yield* Effect.forkChild(zk.getData("/a"), now)
      const waiting = yield* Effect.forkChild(zk.getData("/b"), now)
      yield* proxy.awaitFrames({ direction: "up", op: Op.getData }, 2)
      yield* Fiber.interrupt(interrupted)
      yield* proxy.heal
      assert.strictEqual(text(yield* Fiber.join(waiting)), "b")
      assert.strictEqual(text(yield* zk.getData("/a")), "a")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.getData), 3)
    }
  )

  Faults.itBehindProxy(
    "a lost reply is asked for again where that is harmless or allowed (test_send_connection_error)",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "0" })
      // A read.
      yield* Faults.loseReply(proxy, Op.getData)
      assert.strictEqual(text(yield* zk.getData("/a")), "0")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.getData), 2)
      // A write that was allowed to.
      yield* Faults.loseReply(proxy, Op.delete)
      yield* zk.delete("/a", { idempotent: true })
      // It looks before it repeats, and the znode has gone.
      assert.strictEqual(yield* Faults.countSent(proxy, Op.delete), 1)
      // Any other write.
      yield* Faults.loseReply(proxy, Op.create)
      const error = yield* failure(zk.create("/b"), "ConnectionLoss")
      assert.isTrue(error.maybeApplied)
      assert.strictEqual(error.path, "/b")
      assert.isTrue(yield* zk.exists("/b"))
      assert.strictEqual(yield* Faults.countSent(proxy, Op.create), 2)
    }
  )

  Faults.itBehindProxy(
    "an answer that is an error is given as it is, and the request is sent once (test_send_no_node)",
    function* ({ proxy, zk }) {
      const absent = yield* failure(zk.get("/a"), "NoNode")
      assert.deepStrictEqual([absent.path, absent.operation], ["/a", "getData"])
      assert.strictEqual(yield* Faults.countSent(proxy, Op.getData), 1)
      // test_send_bad_version
      yield* zk.create("/a")
      assert.strictEqual((yield* failure(zk.set("/a", "1", 4), "BadVersion")).path, "/a")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.setData), 1)
      // test_send_unknown_error: a code that is not in the table is given by its number.
      yield* proxy.rule({ match: { direction: "down", op: Op.getData }, action: { _tag: "SetError", code: -777 } })
      const error = yield* failure(zk.get("/a"), "ServerRefused")
      assert.strictEqual(error.code, -777)
      assert.strictEqual(error.name, "Unknown(-777)")
      assert.strictEqual(error.path, "/a")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.getData), 2)
      assert.isTrue(yield* zk.exists("/a"))
    }
  )

  Faults.itBehindProxyWith({ sessionTimeout: "3 seconds" })(
    "requests keep the session alive without a ping, and silence sends one (test_send_good_case)",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "1" })
      const busyUntil = performance.now() + 1500
      while (performance.now() < busyUntil) assert.strictEqual(text(yield* zk.getData("/a")), "1")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.ping), 0)
      yield* proxy.awaitFrames({ direction: "up", op: Op.ping })
      assert.isTrue(yield* zk.exists("/a"))
    }
  )

  Faults.itBehindProxy(
    "request numbers go from the largest to 1 under load (test_cxid_rollover)",
    function* ({ beside, chroot, proxy }) {
      const session = Layer.effect(
        Session,
        makeSession({ servers: proxy.connectString + chroot }, 2_147_483_647 - 100)
      ).pipe(Layer.provide(Transport.layer()))
      const zk = Context.get(yield* Layer.build(Layer.provide(ZooKeeper.layerSession(), session)), ZooKeeper.ZooKeeper)
      yield* eachAtOnce(numbersBelow(300), (index) => beside.create(`/n${index}`, { data: String(index) }))
      const read = yield* eachAtOnce(numbersBelow(300), (index) => zk.getData(`/n${index}`))
      assert.deepStrictEqual(read.map(text), numbersBelow(300).map(String))
      const { frames } = yield* proxy.seen
      const xids = frames.flatMap(({ direction, op, xid }) =>
        direction === "up" && op === Op.getData && xid !== undefined ? [xid] : []
      )
      assert.strictEqual(new Set(xids).size, 300)
      assert.isTrue(xids.includes(2_147_483_647) && xids.includes(1))
      assert.isTrue(xids.every((xid) => xid > 0))
      assert.strictEqual(zk.session.state._tag, "Connected")
    }
  )

  Faults.itBehindProxyWith({ sessionTimeout: "2 seconds" })(
    "one heartbeat, not one more with each connection (test_duplicated_heartbeat_task)",
    function* ({ proxy, zk }) {
      for (const _ of numbersBelow(3)) yield* Faults.breakConnections(zk, proxy)
      const states = yield* Faults.recordStates(zk)
      const before = yield* Faults.countSent(proxy, Op.ping)
      const [elapsed] = yield* Effect.timed(proxy.awaitFrames({ direction: "up", op: Op.ping }, before + 4))
      // One every two thirds of a second; a second heartbeat would halve the time.
      assert.isAtLeast(Duration.toMillis(elapsed), 1900)
      assert.deepStrictEqual(states, ["Connected"])
    }
  )

  Faults.itBehindProxy(
    "a caller that stops waiting does not mix up the answers of others (test_send_timeout)",
    function* ({ chroot, proxy, zk }) {
      const impatient = yield* connect({ servers: proxy.connectString + chroot, requestTimeout: "150 millis" })
      for (const name of ["a", "b", "c"]) yield* zk.create(`/${name}`, { data: name })
      yield* proxy.shape("down", { delay: Duration.millis(400) })
      yield* failure(Effect.timeout(zk.getData("/a"), "50 millis"), "TimeoutError")
      const refused = yield* failure(impatient.getData("/a"), "RequestTimeout")
      assert.strictEqual(refused.path, "/a")
      assert.isFalse(refused.maybeApplied)
      yield* proxy.heal
      assert.strictEqual(text(yield* zk.getData("/b")), "b")
      // Its late answer is on the way still; the next in line may have to wait for it.
      assert.strictEqual(
        text(
          yield* Faults.eventually(Effect.option(impatient.getData("/c")), (data) => data._tag === "Some").pipe(
            Effect.map((data) => (data._tag === "Some" ? data.value : new Uint8Array(0)))
          )
        ),
        "c"
      )
      assert.strictEqual(yield* Faults.countHandshakes(proxy), 2)
    }
  )
})

describe("aiozk test_session.py: which server", () => {
  /** Does what a member without quorum does: serves those who allow it, and sends the others away. */
  const readOnlyMember = ScriptedServer.make((connection) =>
    Effect.gen(function* () {
      const hello = yield* Effect.orDie(
        Effect.fromResult(Jute.decode(Handshake.connectRequest, yield* connection.nextFrame))
      )
      if (hello.readOnly !== true) return yield* connection.close
      yield* connection.send(Frames.connectReply({ readOnly: true, sessionId: 77n }))
      // Heartbeats and requests are none of this test's business.
      while (Frames.opCodeOf(yield* connection.nextFrame) !== Op.closeSession) yield* connection.close
    })
  )

  Faults.itBesideRoot(
    "servers that serve reads only are passed over (test_find_server)",
    function* ({ chroot, server }) {
      const member = yield* readOnlyMember
      // Servers come in random order, so half of the clients come to it first: sooner or later one does.
      for (let clients = 0; clients < 5 || (clients < 60 && (yield* member.accepted) === 0); clients++) {
        const zk = yield* connect({ servers: `${member.connectString},${server}${chroot}`, retry: Faults.RETRY_SOON })
        assert.isFalse(zk.session.readOnly)
        assert.isTrue(yield* zk.exists("/"))
      }
      assert.isAbove(yield* member.accepted, 0)
    }
  )

  itLive("and are taken where that is allowed (test_find_server)", function* () {
    const member = yield* readOnlyMember
    // The client is closed before the member is, which would have it wait for an answer.
    yield* inScope(function* () {
      const zk = yield* connect({ servers: member.connectString, allowReadOnly: true })
      assert.isTrue(zk.session.readOnly)
      assert.strictEqual(zk.session.id, 77n)
    })
  })
})
