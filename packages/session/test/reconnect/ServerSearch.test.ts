/** The search for a server: addresses side by side, many clients apart, what is said when none is found. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as TransportModule from "@effect-zookeeper/transport/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import { ConnectAttempts } from "../../src/internal/reconnect/ConnectAttempts.ts"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { SessionOptions } from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork, type ServerSide } from "../support/MemoryNetwork.ts"
import { awaitState, startSession, connect, exists, type SessionService } from "../support/session.ts"

const settle = TestClock.adjust("1 millis")

/** Passes so much virtual time step by step, as a real clock does. */
const pass = (millis: number) =>
  Effect.forEach(Array.from({ length: millis / 10 }), () => TestClock.adjust("10 millis"), { discard: true })

const address = (n: number): ServerAddress => ({ host: `10.0.0.${n}`, port: 2181 })

/** Begins to connect to names of several addresses, which are tried in their order. */
const beginWith = Effect.fnUntraced(function* (
  network: MemoryNetwork,
  addresses: (name: string) => ReadonlyArray<ServerAddress>,
  options: SessionOptions
) {
  const transport = { ...network.transport, resolve: ({ host }: ServerAddress) => Effect.succeed(addresses(host)) }
  const fiber = yield* makeSession(options).pipe(Effect.provideService(Transport, transport), Effect.forkScoped)
  yield* Effect.addFinalizer(() => Effect.suspend(() => network.shutDown))
  return fiber
})

describe("addresses of which some are silent", () => {
  it.effect("the next one is dialled after 250 ms while one is not open, and the others are left then", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      for (const n of [1, 2]) network.set(`10.0.0.${n}:2181`, "hang")
      const fiber = yield* beginWith(network, () => [1, 2, 3, 4].map(address), { servers: "zk" })
      yield* TestClock.adjust("249 millis")
      assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181", "10.0.0.2:2181"])
      yield* TestClock.adjust("250 millis")
      yield* (yield* network.accept).greet()
      assert.strictEqual((yield* Fiber.join(fiber)).info.id, 0x100n)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(network.dialled, ["10.0.0.1:2181", "10.0.0.2:2181", "10.0.0.3:2181"])
    })
  )

  it.effect("the session is asked for on one connection at a time: another is asked when the time of one is over", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const fiber = yield* beginWith(network, () => [1, 2].map(address), {
        servers: "zk",
        sessionTimeout: "4 seconds"
      })
      const first = yield* network.accept
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(network.waiting, 0)
      assert.isFalse(first.isLeft)
      yield* TestClock.adjust("1 millis")
      const second = yield* network.accept
      assert.isTrue(first.isLeft)
      yield* second.greet()
      assert.strictEqual((yield* Fiber.join(fiber)).info.id, 0x100n)
    })
  )

  for (const [names, each, silent] of [
    [5, 1, 4],
    [3, 2, 5],
    [1, 24, 23]
  ] as const) {
    it.effect(`the last of ${names} times ${each} addresses is found within connectTimeout, the others silent`, () =>
      Effect.gen(function* () {
        const network = new MemoryNetwork()
        const clock = yield* Clock.Clock
        const servers = Array.from({ length: names }, (_, n) => `s${n}`)
        const fiber = yield* beginWith(
          network,
          (name) => Array.from({ length: each }, (_, n) => address(Number(name.slice(1)) * each + n)),
          { servers: servers.join(","), sessionTimeout: "40 seconds" }
        )
        // They accept, as a listener does whose process hangs, and say nothing.
        for (let n = 0; n < silent; n++) {
          while (network.waiting === 0) yield* TestClock.adjust("100 millis")
          yield* network.accept
        }
        while (network.waiting === 0) yield* TestClock.adjust("100 millis")
        yield* (yield* network.accept).greet()
        yield* Fiber.join(fiber)
        assert.isBelow(clock.currentTimeMillisUnsafe(), 15_000)
      })
    )
  }

  it.effect("a name that is not resolved does not keep the next server waiting", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const transport = { ...network.transport, resolve: slowly }
      const fiber = yield* makeSession({ servers: "slow,slow,slow,quick" }).pipe(
        Effect.provideService(Transport, transport),
        Effect.forkScoped
      )
      yield* Effect.addFinalizer(() => Effect.suspend(() => network.shutDown))
      yield* TestClock.adjust("750 millis")
      yield* (yield* network.accept).greet()
      yield* Fiber.join(fiber)
    })
  )
})

const slowly = (server: ServerAddress) => (server.host === "slow" ? Effect.never : Effect.succeed([server]))

describe("many clients", () => {
  /** The most of a tenth of a second, and the mean. */
  const spread = (times: ReadonlyArray<number>, from: number, to: number) => {
    const tenths = Array.from({ length: Math.floor((to - from) / 100) }, () => 0)
    for (const time of times) {
      const tenth = Math.floor((time - from) / 100)
      if (tenth >= 0 && tenth < tenths.length) tenths[tenth]!++
    }
    return { most: Math.max(...tenths), mean: tenths.reduce((a, b) => a + b, 0) / tenths.length }
  }

  it.effect("that lose their servers in the same moment spread, also when their sessions end in the same moment", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      const clock = yield* Clock.Clock
      let isUp = true
      const times: Array<number> = []
      const serve = Effect.gen(function* () {
        for (let id = 1n; ; id++) {
          const server = yield* network.accept
          if (isUp) yield* server.greet({ sessionId: id })
          else {
            times.push(clock.currentTimeMillisUnsafe())
            server.cut()
          }
        }
      })
      yield* Effect.forkScoped(serve)
      const clients = Array.from({ length: 50 }, () =>
        Effect.flatMap(startSession(network, { servers: "a,b,c", sessionTimeout: "6 seconds" }), Fiber.join)
      )
      const sessions = yield* Random.withSeed(
        Effect.forEach(clients, (client) => client),
        "fifty clients"
      )
      isUp = false
      for (const connection of network.connections) connection.cut()
      const start = clock.currentTimeMillisUnsafe()
      yield* pass(20_000)
      // All sessions ended by their own reckoning after eight seconds.
      assert.isTrue(sessions.every(({ info }) => info.state._tag !== "Connected"))
      const { mean, most } = spread(times, start + 5000, start + 20_000)
      assert.isAbove(mean, 5)
      assert.isAtMost(most, 3 * mean)
    })
  )

  it.live(
    "over sockets likewise",
    () =>
      Effect.gen(function* () {
        const times: Array<number> = []
        const servers = yield* Effect.forEach([1, 2, 3], () =>
          listen((socket) => {
            times.push(performance.now())
            socket.destroy()
          })
        )
        const options = { servers: servers.join(","), sessionTimeout: "4 seconds", connectTimeout: "1 minute" } as const
        const start = performance.now()
        const client = Effect.provide(makeSession(options), TransportModule.layer())
        yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkScoped(client))
        // The replies that a busy machine delayed come all at once: such moments say nothing about the clients.
        const stalls: Array<readonly [number, number]> = []
        for (let before = performance.now(); before < start + 10_000;) {
          yield* Effect.sleep("10 millis")
          const now = performance.now()
          if (now - before > 40) stalls.push([before, now + 100])
          before = now
        }
        const isFree = (time: number) => stalls.every(([from, to]) => time < from || time > to)
        const { mean, most } = spread(times.filter(isFree), start + 5000, start + 10_000)
        assert.isAbove(mean, 5)
        assert.isAtMost(most, 3 * mean)
      }),
    { timeout: 60_000 }
  )
})

describe("the pauses of a search", () => {
  it.effect("come after each server once: one that is lost is tried again although all others are silent", () =>
    Effect.gen(function* () {
      const servers = ["a:2181", "b:2181", "c:2181"]
      const { network, server, session } = yield* connect({
        servers: servers.join(","),
        sessionTimeout: "9 seconds",
        grant: { timeOut: 9000 },
        retry: Schedule.spaced("100 millis")
      })
      const others = servers.filter((name) => name !== server.server)
      for (const name of others) network.set(name, "hang")
      const { id } = session.info
      const before = network.dialled.length
      server.cut()
      // Three seconds for each of the silent ones, side by side.
      yield* pass(3500)
      const dialled = network.dialled.slice(before)
      assert.deepStrictEqual(dialled.slice(0, 2).toSorted(), others)
      assert.deepStrictEqual(dialled.slice(2), [server.server])
      yield* (yield* network.accept).greet({ timeOut: 9000 })
      yield* awaitState(session, "Connected")
      assert.strictEqual(session.info.id, id)
    })
  )

  it.effect("do not outlast the session: there is one more try before it ends", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({
        sessionTimeout: "9 seconds",
        retry: Schedule.spaced("1 minute")
      })
      network.set("a:2181", "refuse")
      server.cut()
      yield* settle
      const before = network.dialled.length
      yield* pass(11_900)
      assert.isAbove(network.dialled.length, before)
      assert.strictEqual(session.info.state._tag, "Disconnected")
      // And no more than one: they would all come just before the end.
      assert.strictEqual(network.dialled.length, before + 1)
      yield* pass(200)
      assert.strictEqual(session.info.id, 0n)
    })
  )
})

describe("a first connection", () => {
  it.effect("waits for a server that starts later, with connectTimeout: infinity", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      network.set("a:2181", "refuse")
      const fiber = yield* startSession(network, { connectTimeout: "infinity" })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(fiber.pollUnsafe())
      network.set("a:2181", "accept")
      while (network.waiting === 0) yield* TestClock.adjust("100 millis")
      yield* (yield* network.accept).greet()
      yield* Fiber.join(fiber)
    })
  )

  it.effect("that fails names each server and reason once, with its count, and the servers that were never tried", () =>
    Effect.gen(function* () {
      const network = new MemoryNetwork()
      for (const name of ["a", "b"]) network.set(`${name}:2181`, "refuse")
      const fiber = yield* startSession(network, { servers: "a,b", connectTimeout: "10 seconds" })
      yield* pass(10_000)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error._tag, "ConnectFailed")
      if (error._tag !== "ConnectFailed") return
      assert.lengthOf(error.attempts, 2)
      for (const { count = 0, reason } of error.attempts) {
        assert.isAbove(count, 3)
        assert.strictEqual(reason, "could not connect")
      }
      assert.match(error.message, /\((a:2181, b:2181|b:2181, a:2181): could not connect \(\d+ times\)\)$/)
    })
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

const listen = (onConnection: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((socket) => {
        socket.on("error", () => {})
        onConnection(socket)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => `127.0.0.1:${(server.address() as Net.AddressInfo).port}`))

const refusalOf = Effect.fnUntraced(function* (server: string, options: SessionOptions = {}) {
  const connecting = makeSession({ servers: server, connectTimeout: "1 second", ...options })
  const error = yield* Effect.flip(Effect.provide(connecting, TransportModule.layer()))
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
    it.live(`as ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* listen((socket) => void socket.on("data", () => socket.write(answer)))
        assert.include(yield* refusalOf(server), expected)
      })
    )
  }

  it.live("as a port without a listener", () =>
    Effect.gen(function* () {
      assert.include(yield* refusalOf("127.0.0.1:1"), "nothing listens at this port")
    })
  )

  it.live("as one that accepts connections and sends nothing", () =>
    Effect.gen(function* () {
      const server = yield* listen(() => {})
      assert.include(yield* refusalOf(server), "the handshake was not answered")
    })
  )

  it.live("as one that closes what it accepts, as a server does that takes no more connections", () =>
    Effect.gen(function* () {
      const server = yield* listen((socket) => socket.end())
      assert.include(yield* refusalOf(server), "maxClientCnxns")
    })
  )
})

/** Has the session see a transaction. */
const see = Effect.fnUntraced(function* (session: SessionService, server: ServerSide, zxid: bigint) {
  const read = yield* Effect.forkChild(exists(session, "/x"))
  const { xid } = yield* server.nextRequest
  server.replyWith(xid, zxid, Operations.exists, { stat: Frames.stat })
  yield* Fiber.join(read)
})

const collectLogs = () => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (logLevel !== "Debug" && logLevel !== "Trace") lines.push(`${logLevel} ${String(message)}`)
  })
  return { lines, logged: Effect.provide(Logger.layer([logger])) }
}

const srvr = (zxid: bigint) => `Zookeeper version: 3.8.0\nReceived: 1\nZxid: 0x${zxid.toString(16)}\nMode: standalone\n`

/** A session of an ensemble that comes back with less than the session has seen. */
const fallBehind = Effect.fnUntraced(function* (network: MemoryNetwork, server: ServerSide, session: SessionService) {
  yield* see(session, server, 0x500n)
  network.statuses.set("a:2181", srvr(0x3n))
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
  it.effect("are reported at once when all of them refuse, and each minute, with advice", () => {
    const { lines, logged } = collectLogs()
    return Effect.gen(function* () {
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
    }).pipe(logged)
  })

  it.effect("are taken as they are with ensembleReset: accept, by a new session that says so", () => {
    const { lines, logged } = collectLogs()
    return Effect.gen(function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "10 minutes", ensembleReset: "accept" })
      const zxids = yield* fallBehind(network, server, session)
      for (let i = 0; i < 100 && session.info.id !== 0x999n; i++) yield* TestClock.adjust("10 millis")
      assert.strictEqual(session.info.id, 0x999n)
      assert.strictEqual(zxids.at(-1), 0n)
      assert.isTrue(lines.some((line) => line.includes("a new session begins, which may read older state")))
    }).pipe(logged)
  })

  it.effect("are not assumed while one says that it only has no quorum", () =>
    Effect.gen(function* () {
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
  )
})

describe("the log at the default level has", () => {
  it.effect("one line when a connection is lost for longer, one when no server is there, one when it is back", () => {
    const { lines, logged } = collectLogs()
    return Effect.gen(function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "1 minute" })
      network.set("a:2181", "refuse")
      server.cut()
      yield* pass(900)
      assert.deepStrictEqual(lines, [])
      yield* pass(29_100)
      network.set("a:2181", "accept")
      while (network.waiting === 0) yield* TestClock.adjust("10 millis")
      yield* (yield* network.accept).greet()
      yield* awaitState(session, "Connected")
      yield* settle
      assert.lengthOf(lines, 3)
      assert.match(lines[0]!, /^Warn connection lost: .*a:2181/)
      assert.match(lines[1]!, /^Warn no ZooKeeper server is reachable .*a:2181: could not connect/)
      assert.match(lines[2]!, /^Info connected again after 3\d\.\d s/)
    }).pipe(logged)
  })

  it.effect("nothing of a server that is replaced at once", () => {
    const { lines, logged } = collectLogs()
    return Effect.gen(function* () {
      const { network, server, session } = yield* connect({ servers: "a,b" })
      server.cut()
      yield* (yield* network.accept).greet()
      yield* awaitState(session, "Connected")
      yield* pass(2000)
      assert.deepStrictEqual(lines, [])
    }).pipe(logged)
  })
})
