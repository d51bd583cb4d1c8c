/**
 * The defects of aiozk 0.32, client side, verified by running it (sections as in the research on its features), and the
 * test of the right outcome here. "session" is `packages/session/test`, "conformance" the suite in the test-kit; the other
 * files are in the folders beside this one.
 *
 * | aiozk | what goes wrong there | held by |
 * | --- | --- | --- |
 * | 1.2 | a chroot behind the servers hangs the start | conformance "is the connect string's, and the option's within it"; ZooKeeper.layers "fail with the option that is wrong" |
 * | 1.2 | a closed port hangs the start | ZooKeeper.layers "fail within connectTimeout ..." |
 * | 1.2 | one ACL as `default_acl` fails at the first create | ZooKeeper.layers "fail with the option that is wrong" |
 * | 1.2 | closing while disconnected times out, and nothing can be closed or started after | session's Session.close "a disconnected session looks for a server until the end ..." |
 * | 1.2 | restarting gives a new session (that one works) | conformance "has an id and a password of its own" |
 * | 1.2 | the slash at the end of a sequential prefix is lost | conformance "numbers sequential znodes by all children that the parent ever had" |
 * | 1.2 | the chroot is cut off look-alikes, and is "" itself | conformance "list this session's ephemerals ..." and "a chroot" |
 * | 1.2 | a wait does not tell which event came | conformance "of data tells the next change, by the client's path ..." |
 * | 1.2 | given up waits leak | here "two hundred waits ..." |
 * | 1.2 | no data reads as None, empty data as empty | conformance "keeps text, any bytes, and none" |
 * | 1.2 | container with sequential or ephemeral is refused by the server | no such pair can be written: `mode` is one word |
 * | 1.2 | `container=True` makes a persistent znode | conformance "end when they are of no use any more, and not before", "makes znodes of every mode ..." |
 * | 1.2 | `ensure_path` needs CREATE on all ancestors, and so does a chroot | Tree "works below a parent without CREATE ..." |
 * | 1.2 | `set_acl` compares the data's version | conformance "compare a version of their own" |
 * | 1.3 | under a chroot versions are not checked | Read "track versions, of data and ACL apart, and right under a chroot" |
 * | 1.3 | looks without data refresh the version, and a znode made anew by others gives BadVersion | the same |
 * | 1.4 | a failed transaction has no error, code or index, and `TransactionFailed` is empty | conformance "says which operation failed and why ..." |
 * | 1.4 | the number of a sequential create is lost | conformance "applies all and gives a tuple of results" |
 * | 1.4 | an empty transaction raises ValueError | Operations.arguments "is nothing for a transaction without operations" |
 * | 1.6 | policies try less often, or wait longer, than they say | here "a schedule of pauses ..."; session's Connecting "pauses after a full round only ..." |
 * | 1.8 | operations after close hang | session's Session.close "fails waiting and later requests with SessionClosed" |
 * | S1 | the end of a connection is noticed by a timeout | session's Connection.faults "because it has half closed ...", Connection.cutEverywhere, Session.bounds "F01: are noticed at once" |
 * | S2 | requests in flight hang when it ends | session's Requests.lostConnection "fails the writes that had left ..." |
 * | S3 | a write whose reply is lost is sent again | conformance "a write whose reply was lost"; Durable "is not sent again"; "is not applied if the request was lost" |
 * | S4 | a handshake that is reset, or a server that lags behind, ends the session | session's Connection.cutEverywhere "keeps the session, its watch ...", Session.bounds "F33, F34: a member that has lost its disk ..." |
 * | S5 | so does one that stalls, and no listener hears of it | session's Connection.faults "because it accepts and sends nothing ...", Liveness.silence "silence" and "expiry"; peers' Session "report its end ..." |
 * | S6 | watches are lost with a connection on which they are registered again | session's Connection.cutEverywhere "keeps the session, its watch ..." |
 * | S7 | they fire without a change | conformance "one-shot watches of what did not change still wait"; session's Session.realServer "10,000 watches" |
 * | S8 | or miss a deletion | the same, and conformance "one-shot watches tell what happened meanwhile" |
 * | S9 | or are registered as others, or in one packet that is too large | session's Reconnecting "by exists are registered by whether the znode is there", "are registered in packets below 128 KiB ..." |
 * | S10 | an end within a frame is a busy loop | here "S10: ..." |
 * | S12 | a request that is too large ends the connection | conformance "let a request of 1 MiB less a byte through ..." |
 * | S13 | events of the connection itself change the state | here "S13: ..." |
 */
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Records from "@effect-zookeeper/protocol/Records"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Frames from "../../../session/test/support/frames.ts"
import { connect, now, numbersBelow, text } from "../support/clients.ts"
import * as Faults from "../support/faults.ts"
import { Op } from "../support/faults.ts"

describe("where aiozk's client fails", () => {
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

  Faults.itBehindProxyWith({ sessionTimeout: "30 seconds" })(
    "S10: an end within a frame is an end, without a busy loop",
    function* ({ proxy, zk }) {
      yield* zk.create("/a", { data: "a" })
      const rule = yield* proxy.rule({
        match: { direction: "down", op: Op.getData },
        action: { _tag: "SetLength", length: 10_000 }
      })
      const read = yield* Effect.forkChild(zk.getData("/a"), now)
      yield* rule.awaitHits()
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("fin")
      yield* Faults.awaitState(zk, "Disconnected")
      // With nowhere to go it rests.
      const before = process.cpuUsage()
      yield* Effect.sleep("500 millis")
      const { system, user } = process.cpuUsage(before)
      assert.isBelow(user + system, 350_000)
      yield* proxy.accept("forward")
      assert.strictEqual(text(yield* Fiber.join(read)), "a")
    }
  )

  Faults.itBehindProxy(
    "S13: events of the connection itself, sent by a server, and twice, change nothing",
    function* ({ beside, proxy, zk }) {
      yield* zk.create("/a")
      const states = yield* Faults.recordStates(zk)
      const { changed } = yield* zk.getAndWatch("/a")
      const event = Jute.encode(Jute.codec(Records.WatcherEvent), { type: -1, state: 0, path: "" })
      for (const _ of numbersBelow(2)) yield* proxy.inject("down", Frames.reply(-1, -1n, 0, event))
      assert.isTrue(yield* zk.exists("/a"))
      yield* beside.set("/a", "1")
      assert.strictEqual((yield* changed).type, "NodeDataChanged")
      assert.deepStrictEqual(states, ["Connected"])
    }
  )
})
