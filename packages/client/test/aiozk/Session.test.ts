/**
 * The cases of aiozk's suite of a client and its session, by what an application sees of them. Cases that have no test
 * here are told by others. "session" is `packages/session/test`, "conformance" the suite in the test-kit.
 *
 * | case | held by |
 * | --- | --- |
 * | test_children, test_raw_get, test_raw_set | conformance "agree with each other", "keeps text, any bytes, and none", "compares versions, of which 0 is one and -1 is any" |
 * | test_cancel_crash | Client.defects "two hundred waits ..."; conformance "can be given up" |
 * | test_closed_close | session's Session.close "while dialling, and in the middle of a handshake ..." |
 * | test_session_reconnect | conformance "has an id and a password of its own", "takes its ephemerals along when it is closed ...", "is refused with a wrong password, and after its end" |
 * | test_close_cancels_read_loop_task | session's Session.close "waits two seconds at most ...", "F48: in the middle of a transaction ..." |
 * | test_repair_loop_task_cancellation_produces_error_log | session's ServerSearch.reports "one warning of a session that has expired" |
 * | test_send_canceled, test_send_timeout | session's Requests.callers "leaves the order of replies right", "ends a slow request ..." |
 * | test_send_connection_error | conformance "a read whose answer was lost ...", "fails with ConnectionLoss and is not sent again", "is applied once when it is idempotent" |
 * | test_send_no_node, test_send_bad_version, test_send_unknown_error | session's Requests.replies "with a typed error fail with the error of the row ..." |
 * | test_send_good_case | session's Liveness.silence "are sent when nothing was written for a third of the timeout" |
 * | test_cxid_rollover | session's Requests.replies "keep their callers when xids wrap" |
 * | test_find_server | session's Connecting "passes over read-only servers, unless they are allowed"; "is tried with pauses where all servers only read" |
 * | test_transaction, test_fail_transaction, test_transaction_contextmanager_fail | conformance "applies all and gives a tuple of results", "says which operation failed and why, and applies nothing" |
 * | test_watchers.py, but for test_multi_watcher | conformance "streams of values", "after a lost connection", "a one-shot watch" |
 */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { closable, eachAtOnce, inScope } from "@effect-zookeeper/test-kit/Expectations"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Op as Operation, PromiseClient, SessionClosed, ZooKeeper } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"
import { numbersBelow, connect, failure, now, text } from "../support/clients.ts"

describe("aiozk's cases of starting and closing", () => {
  itLive(
    "a client is started once by all who need it, and not at all where no one does (test_start_session_twice, test_close_not_started)",
    function* () {
      const proxy = yield* FaultProxy.make(TestServer.target())
      const layer = ZooKeeper.layer({ servers: proxy.connectString })
      yield* Effect.promise(() => ManagedRuntime.make(layer).dispose())
      assert.strictEqual((yield* proxy.seen).accepted, 0)
      const runtime = ManagedRuntime.make(layer)
      const id = () => runtime.runPromise(Effect.map(ZooKeeper.ZooKeeper, ({ session }) => session.id))
      const [first, second] = yield* Effect.promise(() => Promise.all([id(), id()]))
      const third = yield* Effect.promise(id)
      assert.strictEqual(first, second)
      assert.strictEqual(first, third)
      assert.strictEqual((yield* proxy.seen).accepted, 1)
      yield* Effect.promise(() => runtime.dispose())
    }
  )

  // A watch that ends is removed at the server: an older one refuses that, and closes the connection.
  TestServer.since("3.5.0", itLive)("closing says nothing in the log (test_close_produces_no_error_log)", function* () {
    const { layer, warnings } = Faults.recordWarnings()
    const { chroot, proxy } = yield* Effect.provide(Faults.connectProxied("quiet"), layer)
    yield* inScope(function* () {
      const zk = yield* connect({ servers: proxy.connectString + chroot })
      const { changed } = yield* zk.existsAndWatch("/a")
      yield* Effect.forkScoped(Effect.exit(changed), now)
      yield* zk.create("/b", { mode: "ephemeral" })
    }).pipe(Effect.provide(layer))
    assert.deepStrictEqual(warnings, [])
  })

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

  itLive("requests that are pending when it closes fail with that, each once (test_connection_abort)", function* () {
    const { chroot, proxy } = yield* Faults.connectProxied("close-pending")
    const options = { servers: proxy.connectString + chroot, sessionTimeout: "1 second" } as const
    const [zk, close] = yield* closable(connect(options))
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

describe("aiozk's cases of a session that goes on", () => {
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

  itLive(
    "a zxid ahead of every server fails with a typed error, and the session is not given up for it (test_inconsistent_zxid)",
    function* () {
      const { beside, proxy, zk } = yield* Faults.connectProxied("zxid", {
        sessionTimeout: "3 seconds",
        connectTimeout: "1 second",
        sessionExpiry: "fail"
      })
      yield* beside.create("/a")
      const states = yield* Faults.recordStates(zk)
      yield* proxy.rule({
        match: { direction: "down", op: Op.getData },
        action: {
          _tag: "Edit",
          edit: (body) => (new DataView(body.buffer, body.byteOffset).setBigInt64(4, 1n << 62n), body)
        }
      })
      yield* zk.get("/a")
      yield* proxy.dropAll("rst")
      yield* Faults.awaitCondition(() => zk.session.state._tag === "EnsembleBehind")
      assert.strictEqual(zk.session.id === 0n, false)
      yield* failure(zk.get("/a"), "SessionExpired")
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "EnsembleBehind", "Expired"])
    }
  )

  itLive(
    "a thousand watches all report that the session was lost while the process stood still (test_multi_watcher)",
    function* () {
      const server = yield* ZooKeeperServer.make({ tickTime: 100 })
      const proxy = yield* FaultProxy.make(server)
      const other = yield* connect({ servers: server.connectString })
      const zk = yield* connect({
        servers: proxy.connectString,
        sessionTimeout: "1 second",
        retry: Faults.RETRY_SOON
      })
      const { id } = zk.session
      yield* other.create("/m")
      // Not ephemeral ones: a server that ends a session tells its watches of them before it closes the connection.
      yield* eachAtOnce(numbersBelow(1000), (index) => zk.create(`/m/${index}`))
      yield* other.create("/own")
      yield* eachAtOnce(numbersBelow(1000), (index) => zk.create(`/own/${index}`, { mode: "ephemeral" }))
      const outcomes = yield* eachAtOnce(numbersBelow(1000), (index) =>
        Effect.flatMap(zk.getAndWatch(`/m/${index}`), ({ changed }) => Effect.forkScoped(Effect.flip(changed), now))
      )
      // The server goes by its own clock: by the end of this it has given the session up.
      const until = performance.now() + 1600
      while (performance.now() < until);
      const errors = yield* Effect.forEach(outcomes, Fiber.join)
      assert.isTrue(errors.every((error) => error._tag === "SessionExpired" && error.sessionId === id))
      yield* Faults.awaitState(zk, "Connected")
      assert.notStrictEqual(zk.session.id, id)
      yield* zk.sync()
      assert.deepStrictEqual(yield* zk.getChildren("/own"), [])
    }
  )
})

describe("aiozk's cases of transactions", () => {
  const gathered = (zk: ZooKeeper.Service, source: string) =>
    Effect.gen(function* () {
      const data = yield* zk.getData(source)
      return yield* zk.transaction([Operation.create("/copy", { data }), Operation.delete("/source")])
    })

  Faults.itBehindProxy(
    "what a program gathers is committed at its end, and nothing is sent if it fails before (test_transaction_contextmanager, test_exception_handling)",
    function* ({ proxy, zk }) {
      yield* zk.create("/source", { data: "copied" })
      assert.strictEqual((yield* failure(gathered(zk, "/missing"), "NoNode")).path, "/missing")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.multi), 0)
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["source"])
      yield* gathered(zk, "/source")
      assert.strictEqual(yield* Faults.countSent(proxy, Op.multi), 1)
      assert.deepStrictEqual(yield* zk.getChildren("/"), ["copy"])
      assert.strictEqual(text(yield* zk.getData("/copy")), "copied")
    }
  )
})
