/**
 * The defects of aiozk 0.32, client side, verified by running it (sections as in the research on its features), and the
 * test of the right outcome here. "Session" is `Session.defects.test.ts`; the other files are one folder above this one,
 * or are those of this folder in lower case.
 *
 * | aiozk | what goes wrong there | held by |
 * | --- | --- | --- |
 * | 1.2 | a chroot behind the servers hangs the start | Read "lie in each other, the connect string's outermost"; here "a connect string ..." |
 * | 1.2 | a closed port hangs the start | ZooKeeper.layers "fail within connectTimeout ..." |
 * | 1.2 | one ACL as `default_acl` fails at the first create | Arguments "in the chroot or the default ACL fails the client" |
 * | 1.2 | closing while disconnected times out, and nothing can be closed or started after | here "closing while cut off ..." |
 * | 1.2 | restarting gives a new session (that one works) | client "a closed client can be followed by another ..." |
 * | 1.2 | the slash at the end of a sequential prefix is lost | Write "makes sequential names in a directory ..." |
 * | 1.2 | the chroot is cut off look-alikes, and is "" itself | conformance "list this session's ephemerals ..." and "a chroot" |
 * | 1.2 | a wait does not tell which event came | Watch "tell the next change of data, by the client's path" |
 * | 1.2 | given up waits leak | here "two hundred waits ..." |
 * | 1.2 | no data reads as None, empty data as empty | conformance "keeps text, any bytes, and none" |
 * | 1.2 | container with sequential or ephemeral is refused by the server | no such pair can be written: `mode` is one word |
 * | 1.2 | `container=True` makes a persistent znode | Write "makes containers that the server reaps ..."; Transaction "make containers ..." |
 * | 1.2 | `ensure_path` needs CREATE on all ancestors, and so does a chroot | Tree "works below a parent without CREATE ..."; here "a chroot below ..." |
 * | 1.2 | `set_acl` compares the data's version | Write "compares the ACL's own version" |
 * | 1.3 | under a chroot versions are not checked | Read "track versions, of data and ACL apart, and right under a chroot" |
 * | 1.3 | looks without data refresh the version | the same |
 * | 1.3 | a znode made anew by others gives BadVersion | here "a znode made anew ..." |
 * | 1.4 | a failed transaction has no error, code or index | Transaction "say which operation failed and why ..." |
 * | 1.4 | `TransactionFailed` is empty | the same |
 * | 1.4 | the number of a sequential create is lost | Transaction "apply all and give a tuple of results" |
 * | 1.4 | an empty transaction raises ValueError | Transaction "without operations send nothing" |
 * | 1.6 | policies try less often, or wait longer, than they say | here "a schedule of pauses ..."; session's Connecting "pauses after a full round only ..." |
 * | 1.8 | S1 to S13 | Session, by number |
 * | 1.8 | operations after close hang | client "a closed client ..." |
 */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { closable } from "@effect-zookeeper/test-kit/Expectations"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import { Acl } from "../../src/index.ts"
import * as Faults from "../support/faults.ts"
import { connect, failure, text, now } from "../support/clients.ts"

describe("aiozk 1.2: starting and closing", () => {
  Faults.itBesideRoot("a connect string is understood or refused at once", function* ({ connectString }) {
    const zk = yield* connect({ servers: connectString })
    assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    for (const servers of ["localhost:2181x", "localhost:2181/a/", "localhost:0", "a,,b", ""]) {
      const error = yield* failure(Effect.timeout(connect({ servers }), "1 second"), "InvalidArgument")
      assert.strictEqual(error.argument, "servers")
    }
  })

  Faults.itBehindProxy(
    "closing while cut off ends in time, leaves no connection, and another client can follow",
    function* ({ chroot, proxy }) {
      const start = connect({ servers: proxy.connectString + chroot, retry: Faults.RETRY_SOON })
      const [zk, close] = yield* closable(start)
      yield* Faults.cutOff(proxy)
      yield* Faults.awaitState(zk, "Disconnected")
      const waiting = yield* Effect.forkChild(Effect.flip(zk.exists("/")), now)
      const [elapsed] = yield* Effect.timed(close)
      // A close may take two seconds, and more on a busy machine; the session has ten.
      assert.isBelow(Duration.toMillis(elapsed), 7000)
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionClosed")
      yield* proxy.accept("forward")
      assert.isTrue(
        yield* Effect.flatMap(connect({ servers: proxy.connectString + chroot }), (next) => next.exists("/"))
      )
    }
  )

  Faults.itBesideRoot(
    "a chroot below a parent where nothing may be created is as good as any",
    function* ({ beside, chroot }) {
      yield* beside.create("/app")
      yield* beside.setAcl("/", [Acl.world("r")])
      const zk = yield* connect({ servers: `${TestServer.connectString()}${chroot}/app` })
      yield* zk.ensurePath("/")
      yield* zk.ensurePath("/a/b")
      assert.isTrue(yield* beside.exists("/app/a/b"))
    }
  )
})

describe("aiozk 1.2, 1.3 and 1.6: waits, versions and retries", () => {
  Faults.itBesideRoot(
    "two hundred waits that were given up leave nothing on the server, and the next one gets its event",
    function* ({ beside: zk, chroot, connectString }) {
      const other = yield* connect({ servers: connectString })
      yield* zk.create("/a")
      const fibers = yield* Effect.forEach(Array.from({ length: 200 }), () =>
        Effect.flatMap(zk.getAndWatch("/a"), ({ changed }) => Effect.forkScoped(changed, now))
      )
      assert.strictEqual(yield* Faults.watchesBelow(chroot), 1)
      yield* Effect.forEach(fibers, Fiber.interrupt, { discard: true })
      yield* zk.sync()
      assert.strictEqual(yield* Faults.watchesBelow(chroot), 0)
      const { changed } = yield* zk.getAndWatch("/a")
      yield* other.set("/a", "1")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
    }
  )

  Faults.itBesideRoot(
    "a znode that others created anew is written without BadVersion when no version is given",
    function* ({ beside: zk, connectString }) {
      const other = yield* connect({ servers: connectString })
      yield* zk.create("/a", { data: "0" })
      yield* zk.set("/a", "1")
      yield* zk.get("/a")
      yield* other.delete("/a")
      yield* other.create("/a", { data: "anew" })
      assert.strictEqual((yield* zk.setData("/a", "mine")).version, 1)
      assert.strictEqual(text(yield* other.getData("/a")), "mine")
      yield* zk.delete("/a")
    }
  )

  itLive("a schedule of pauses is kept: one between two tries, none before the first", function* () {
    let pauses = 0
    let failures = 0
    const retry = Schedule.tap(Schedule.spaced("20 millis"), () => Effect.sync(() => pauses++))
    // Connections are no measure: servers that end one without a word are asked what they have seen, on one more.
    const counting = Logger.make<unknown, void>(({ message }) => {
      if (String(message).startsWith("no session: ")) failures++
    })
    const { proxy, zk } = yield* Faults.connectProxied("pauses", { retry }).pipe(
      Effect.provide(Logger.layer([counting])),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
    assert.strictEqual(pauses, 0)
    // A connection that has answered something has worked.
    assert.isTrue(yield* zk.exists("/"))
    yield* proxy.accept("close")
    yield* proxy.dropAll("rst")
    yield* Faults.awaitCondition(() => failures >= 5)
    yield* proxy.accept("forward")
    yield* Faults.awaitCondition(() => zk.session.state._tag === "Connected")
    // The first try after a connection that worked is made at once; one pause follows each that failed.
    assert.strictEqual(pauses, failures)
  })
})
