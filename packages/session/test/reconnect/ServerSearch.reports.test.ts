/** The reports of a search for a server: a first connection, other kinds of servers, those that have seen less. */
import { assert, describe, it } from "@effect/vitest"
import * as TransportModule from "@effect-zookeeper/transport/Transport"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import { during, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ConnectAttempts } from "../../src/internal/reconnect/ConnectAttempts.ts"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { SessionOptions } from "../../src/Session.ts"
import { answerExists } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { listen } from "../support/listen.ts"
import { itLogged } from "../support/logs.ts"
import { MemoryNetwork, type ServerSide } from "../support/MemoryNetwork.ts"
import {
  awaitState,
  passTimeAtEnd,
  startSession,
  connect,
  connectClosable,
  exists,
  type SessionService,
  answered,
  reconnect,
  itOnNetwork
} from "../support/session.ts"
import { now, pass } from "../support/time.ts"

describe("a first connection", () => {
  itOnNetwork("waits for a server that starts later, with connectTimeout: infinity", function* (network) {
    network.set("a:2181", "refuse")
    const fiber = yield* startSession(network, { connectTimeout: "infinity" })
    yield* TestClock.adjust("1 hour")
    assert.isUndefined(fiber.pollUnsafe())
    network.set("a:2181", "accept")
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    yield* network.welcome()
    yield* Fiber.join(fiber)
  })

  itOnNetwork(
    "that fails names each server and reason once, with its count, and the servers that were never tried",
    function* (network) {
      for (const name of ["a", "b"]) network.set(`${name}:2181`, "refuse")
      const fiber = yield* startSession(network, { servers: "a,b", connectTimeout: "10 seconds" })
      yield* pass(10_000)
      const error = yield* failure(Fiber.join(fiber), "ConnectFailed")
      if (error._tag !== "ConnectFailed") return
      assert.lengthOf(error.attempts, 2)
      for (const { count = 0, reason } of error.attempts) {
        assert.isAbove(count, 3)
        assert.strictEqual(reason, "could not connect")
      }
      assert.match(error.message, /\((a:2181, b:2181|b:2181, a:2181): could not connect \(\d+ times\)\)$/)
    }
  )

  it("that fails names those that have not answered yet and those that were never tried", () => {
    const attempts = new ConnectAttempts()
    const [a, b, c] = ["a", "b", "c"].map((host) => ({ host, port: 2181 }))
    attempts.began(a!)
    attempts.ended(a!)
    attempts.failed(a!, "a:2181: could not connect", undefined)
    attempts.began(b!)
    const error = attempts.toError([a!, b!, c!])
    assert.deepStrictEqual(error.untried, ["c:2181"])
    assert.include(error.message, "(a:2181: could not connect; b:2181: no answer yet; never tried: c:2181)")
  })
})

const refusalOf = Effect.fnUntraced(function* (server: string, options: SessionOptions = {}) {
  const connecting = makeSession({ servers: server, connectTimeout: "1 second", ...options })
  const error = yield* failure(Effect.provide(connecting, TransportModule.layer()), "ConnectFailed")
  assert.isBelow(error.message.length, 500)
  assert.include(error.message, server)
  return error.message
})

describe("another kind of server is named", () => {
  for (const [name, answer, expected] of [
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP"],
    ["Redis", "-ERR unknown command\r\n", "protocol of Redis"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n", "speaks SSH"],
    ["a mail server", "220 mail.example ESMTP\r\n", "SMTP or FTP"],
    ["TLS", Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40), "tls://"],
    ["bytes that are no frame", Uint8Array.of(0xff, 0xfe, 0, 0), "0xfffe0000"],
    ["a frame that makes no sense", Uint8Array.of(0, 0, 0, 1, 0), "is this a ZooKeeper server?"]
  ] as const) {
    itLive(`as ${name}`, function* () {
      const server = yield* listen((socket) => void socket.on("data", () => socket.write(answer)))
      assert.include(yield* refusalOf(server), expected)
    })
  }

  itLive("as a port without a listener", function* () {
    assert.include(yield* refusalOf("127.0.0.1:1"), "nothing listens at this port")
  })

  itLive("as one that accepts connections and sends nothing", function* () {
    const server = yield* listen(() => {})
    // On a busy machine a second may pass before the connection is open.
    const message = yield* refusalOf(server, { connectTimeout: "3 seconds" })
    assert.include(message, "the handshake was not answered")
  })

  itLive("as one that closes what it accepts, as a server does that takes no more connections", function* () {
    const server = yield* listen((socket) => socket.end())
    assert.include(
      yield* refusalOf(server),
      "it is not serving, as without a quorum, takes no more connections from this address (maxClientCnxns)"
    )
  })
})

/** A session of an ensemble that comes back with less than the session has seen. */
const fallBehind = Effect.fnUntraced(function* (network: MemoryNetwork, server: ServerSide, session: SessionService) {
  yield* answered(server, exists(session, "/x"), (xid) => answerExists(server, xid, 0x500n))
  for (const name of ["a", "b", "c"]) {
    network.statuses.set(`${name}:2181`, "Zookeeper version: 3.8.0\nReceived: 1\nZxid: 0x3\nMode: standalone\n")
  }
  const zxids: Array<bigint> = []
  const refusing = Effect.gen(function* () {
    for (;;) {
      const next = yield* network.accept
      const { lastZxidSeen } = yield* next.nextHello
      zxids.push(lastZxidSeen)
      if (lastZxidSeen > 0x3n) next.cut()
      else next.send(Frames.connectReply({ sessionId: 0x999n }))
    }
  })
  yield* Effect.forkScoped(refusing)
  server.cut()
  return zxids
})

describe("servers that have seen less than the session", () => {
  itLogged("are reported at once when all of them refuse, and each minute, with advice", function* (lines) {
    const { network, server, session } = yield* connect({ sessionTimeout: "10 minutes" })
    yield* fallBehind(network, server, session)
    yield* pass(100)
    assert.strictEqual(session.info.state._tag, "EnsembleBehind")
    const warnings = () => lines.filter((line) => line.includes("have seen less than this session"))
    assert.lengthOf(warnings(), 1)
    assert.match(warnings()[0]!, /Warn.*0x3.*0x500.*ensembleReset: "accept"/)
    for (let i = 0; i < 1300; i++) yield* TestClock.adjust("100 millis")
    assert.lengthOf(warnings(), 3)
    assert.strictEqual(session.info.id, 0x100n)
  })

  itLogged("are taken as they are with ensembleReset: accept, by a new session that says so", function* (lines) {
    const { network, server, session } = yield* connect({ sessionTimeout: "10 minutes", ensembleReset: "accept" })
    const zxids = yield* fallBehind(network, server, session)
    for (let i = 0; i < 100 && session.info.id !== 0x999n; i++) yield* TestClock.adjust("10 millis")
    assert.strictEqual(session.info.id, 0x999n)
    assert.strictEqual(zxids.at(-1), 0n)
    assert.isTrue(lines.some((line) => line.includes("a new session begins, which may read older state")))
  })

  itLogged("are taken without a second expiry after the session has expired by itself", function* (lines) {
    const { network, server, session } = yield* connect({ sessionTimeout: "10 seconds", ensembleReset: "accept" })
    network.set("a:2181", "refuse")
    yield* fallBehind(network, server, session)
    yield* pass(15_000)
    assert.strictEqual(session.info.state._tag, "Connecting")
    const waiting = yield* Effect.forkScoped(exists(session, "/y"))
    network.set("a:2181", "accept")
    for (let i = 0; i < 1000 && session.info.id !== 0x999n; i++) yield* TestClock.adjust("10 millis")
    assert.strictEqual(session.info.id, 0x999n)
    assert.strictEqual(session.info.history, 1)
    assert.isUndefined(waiting.pollUnsafe())
    const expiries = lines.filter((line) => line.includes("has expired"))
    assert.lengthOf(expiries, 1)
    assert.include(expiries[0], "0x100")
  })

  itLogged("are reported while one of three is down, too", function* (lines) {
    const { network, server, session } = yield* connect({ servers: "a,b,c", sessionTimeout: "10 minutes" })
    network.set(server.server, "refuse")
    yield* fallBehind(network, server, session)
    yield* pass(5000)
    assert.strictEqual(session.info.state._tag, "EnsembleBehind")
    assert.lengthOf(
      lines.filter((line) => line.includes("have seen less than this session")),
      1
    )
  })

  itEffect("are taken as they are with ensembleReset: accept while one of three is down, too", function* () {
    const { network, server, session } = yield* connect({
      servers: "a,b,c",
      sessionTimeout: "10 minutes",
      ensembleReset: "accept"
    })
    network.set(server.server, "refuse")
    yield* fallBehind(network, server, session)
    for (let i = 0; i < 100 && session.info.id !== 0x999n; i++) yield* TestClock.adjust("100 millis")
    assert.strictEqual(session.info.id, 0x999n)
  })

  itEffect("are not assumed while most are down, one of which may have seen all", function* () {
    const { network, server, session } = yield* connect({
      servers: "a,b,c",
      connectTimeout: "3 seconds",
      sessionTimeout: "10 minutes",
      ensembleReset: "accept"
    })
    for (const name of ["a", "b", "c"].filter((name) => `${name}:2181` !== server.server).slice(1)) {
      network.set(`${name}:2181`, "refuse")
    }
    network.set(server.server, "refuse")
    yield* fallBehind(network, server, session)
    yield* pass(20_000)
    assert.strictEqual(session.info.state._tag, "Disconnected")
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect(
    "are not assumed where one name stands for several members and one says that it has no quorum",
    function* () {
      const { network, server, session } = yield* connect({
        connectTimeout: "3 seconds",
        sessionTimeout: "10 minutes",
        ensembleReset: "accept"
      })
      for (const name of ["b", "c"]) network.set(`${name}:2181`, "refuse")
      const members = ["b", "a", "c"].map((host) => ({ host, port: 2181 }))
      Object.assign(network.transport, { resolve: () => Effect.succeed(members) })
      yield* fallBehind(network, server, session)
      network.statuses.set("a:2181", "This ZooKeeper instance is not currently serving requests\n")
      yield* pass(20_000, 100)
      assert.strictEqual(session.info.id, 0x100n)
    }
  )

  itEffect("are not assumed while one says that it only has no quorum", function* () {
    const { network, server, session } = yield* connect({
      connectTimeout: "3 seconds",
      sessionTimeout: "10 minutes",
      ensembleReset: "accept"
    })
    yield* fallBehind(network, server, session)
    network.statuses.set("a:2181", "This ZooKeeper instance is not currently serving requests\n")
    for (let i = 0; i < 200; i++) yield* TestClock.adjust("100 millis")
    assert.strictEqual(session.info.state._tag, "EnsembleBehind")
    assert.strictEqual(session.info.id, 0x100n)
  })
})

describe("the log at the default level has", () => {
  itLogged(
    "one line when a connection is lost for longer, one when no server is there, one when it is back",
    function* (lines) {
      const { network, server, session } = yield* connect({ sessionTimeout: "1 minute" })
      network.set("a:2181", "refuse")
      server.cut()
      yield* pass(900)
      assert.deepStrictEqual(lines, [])
      yield* pass(29_100)
      network.set("a:2181", "accept")
      while (network.waiting === 0) yield* TestClock.adjust("10 millis")
      yield* reconnect(network, session)
      assert.lengthOf(lines, 3)
      assert.match(lines[0]!, /^Warn connection lost: .*a:2181/)
      assert.match(lines[1]!, /^Warn no ZooKeeper server is reachable .*a:2181: could not connect/)
      assert.match(lines[2]!, /^Info connected again after 3\d\.\d s/)
    }
  )

  itLogged("no more than five outages a minute, and the sixth if it lasts", function* (lines) {
    const { network, server, session } = yield* connect({ sessionTimeout: "10 minutes" })
    let current = server
    const beginOutage = Effect.fnUntraced(function* () {
      network.set("a:2181", "refuse")
      current.cut()
      yield* pass(1100)
    })
    const endOutage = Effect.fnUntraced(function* () {
      network.set("a:2181", "accept")
      while (network.waiting === 0) yield* TestClock.adjust("10 millis")
      current = yield* reconnect(network, session)
    })
    const losses = () => lines.filter((line) => line.includes("connection lost"))
    for (let outage = 1; outage <= 7; outage++) {
      yield* beginOutage()
      assert.lengthOf(losses(), Math.min(outage, 5))
      yield* endOutage()
    }
    const before = lines.length
    yield* beginOutage()
    assert.lengthOf(lines, before)
    yield* pass(120_000, 100)
    assert.match(losses().at(-1)!, /connection lost \(and 2 times more before\)/)
    // It is told that no server is reachable, and again each minute.
    const unreachable = lines.slice(before).filter((line) => line.includes("no ZooKeeper server is reachable"))
    assert.isAtLeast(unreachable.length, 2)
    yield* endOutage()
    assert.match(lines.at(-1)!, /connected again after 1\d\d\.\d s/)
  })

  itLogged("a line each minute while the first connection is waited for without an end", function* (lines) {
    const network = yield* MemoryNetwork.make
    network.set("a:2181", "refuse")
    yield* startSession(network, { connectTimeout: "infinity" })
    yield* pass(150_000, 100)
    assert.lengthOf(lines, 3)
    for (const line of lines) assert.match(line, /^Warn no ZooKeeper server is reachable since .*could not connect/)
  })

  itLogged(
    "a line when the first connection comes in the background, unless the first server gives it",
    function* (lines) {
      for (const behaviour of ["refuse", "accept"] as const) {
        const network = yield* MemoryNetwork.make
        network.set("a:2181", behaviour)
        const session = yield* Fiber.join(yield* startSession(network, { firstConnection: "background" }))
        yield* passTimeAtEnd(network)
        if (behaviour === "refuse") yield* pass(10_000, 100)
        network.set("a:2181", "accept")
        while (network.waiting === 0) yield* TestClock.adjust("10 millis")
        yield* reconnect(network, session)
        assert.lengthOf(lines, 2)
      }
      assert.match(lines[0]!, /^Warn no ZooKeeper server is reachable/)
      assert.match(lines[1]!, /^Info connected after \d+\.\d s/)
    }
  )

  const warningsIn = (lines: ReadonlyArray<string>) => lines.filter((line) => !line.startsWith("Info"))

  itLogged("one warning of a session that has expired", function* (lines) {
    const { network, server, session } = yield* connect({ servers: "a,b" })
    server.cut()
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    yield* awaitState(session, "Connecting")
    const warnings = warningsIn(lines)
    assert.lengthOf(warnings, 1)
    assert.include(warnings[0], "session 0x100 has expired")
  })

  itLogged("no warning of a close, not even while requests are on their way", function* (lines) {
    const { close, server, session } = yield* connectClosable({ servers: "a,b" })
    yield* Effect.forkChild(Effect.ignore(exists(session, "/x")), now)
    yield* during("2 seconds", close)
    assert.isTrue(server.sawCloseSession)
    assert.deepStrictEqual(warningsIn(lines), [])
  })

  itLogged("nothing of a server that is replaced at once, which keeps the session", function* (lines) {
    const { network, server, session } = yield* connect({ servers: "a,b,c" })
    server.cut()
    const next = yield* network.accept
    assert.notStrictEqual(next.server, server.server)
    assert.strictEqual((yield* next.greet()).sessionId, 0x100n)
    yield* awaitState(session, "Connected")
    assert.strictEqual(session.info.id, 0x100n)
    yield* pass(2000)
    assert.deepStrictEqual(lines, [])
  })
})
