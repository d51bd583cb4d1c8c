/** Servers that an SRV record of DNS names. */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { SessionOptions } from "../../src/Session.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import { passTimeAtEnd, startSession } from "../support/session.ts"
import { pass, settle } from "../support/time.ts"

const server = (host: string): ServerAddress => ({ host, port: 2181 })

const name = "_zookeeper._tcp.example"

/** A name server whose record a test replaces; undefined for an error. A silent one does not even say that. */
const makeDns = (...hosts: ReadonlyArray<string>) => {
  const dns = {
    record: hosts as ReadonlyArray<string> | undefined,
    silent: false,
    asked: [] as Array<string>,
    resolveSrv: (asked: string): Effect.Effect<ReadonlyArray<ServerAddress>, TransportError> =>
      Effect.suspend(() => {
        dns.asked.push(asked)
        if (dns.silent) return Effect.never
        return dns.record === undefined
          ? Effect.fail(new TransportError({ server: asked, reason: "Resolve", cause: new Error("no answer") }))
          : Effect.succeed(dns.record.map(server))
      })
  }
  return dns
}

const start = Effect.fnUntraced(function* (dns: ReturnType<typeof makeDns>, options: SessionOptions = {}) {
  const network = yield* MemoryNetwork.make
  network.transport = { ...network.transport, resolveSrv: dns.resolveSrv }
  const fiber = yield* Effect.provideService(
    startSession(network, { servers: `dns+srv://${name}`, sessionTimeout: "10 minutes", ...options }),
    References.MinimumLogLevel,
    "None"
  )
  return { fiber, network }
})

const connect = Effect.fnUntraced(function* (dns: ReturnType<typeof makeDns>, options: SessionOptions = {}) {
  const { fiber, network } = yield* start(dns, options)
  const connection = yield* network.accept
  // So long a session needs no ping in these tests.
  yield* connection.greet({ timeOut: 600_000 })
  const session = yield* Fiber.join(fiber)
  yield* passTimeAtEnd(network)
  return { connection, network, session }
})

describe("servers of an SRV record", () => {
  itEffect("are connected to, under the chroot of the string", function* () {
    const dns = makeDns("zk1")
    const { network, session } = yield* connect(dns, { servers: `dns+srv://${name}/app` })
    assert.deepStrictEqual(dns.asked, [name])
    assert.deepStrictEqual(network.dialled, ["zk1:2181"])
    assert.strictEqual(session.chroot, "/app")
  })

  itEffect("are waited for by a session that begins in the background", function* () {
    const dns = makeDns("zk1")
    dns.record = undefined
    const servers = `dns+srv://${name}/app`
    const { fiber, network } = yield* start(dns, { servers, firstConnection: "background", connectTimeout: "1 second" })
    const session = yield* Fiber.join(fiber)
    assert.strictEqual(session.chroot, "/app")
    for (let minute = 0; minute < 5; minute++) yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual([network.dialled, session.info.state._tag], [[], "Connecting"])
    dns.record = ["zk1"]
    yield* TestClock.adjust("2 seconds")
    yield* (yield* network.accept).greet({ timeOut: 600_000 })
    yield* passTimeAtEnd(network)
    yield* settle
    assert.deepStrictEqual([network.dialled, session.info.state._tag], [["zk1:2181"], "Connected"])
  })

  itEffect("are not waited for when the application names others meanwhile", function* () {
    const dns = makeDns("zk1")
    dns.record = undefined
    const { fiber, network } = yield* start(dns, { firstConnection: "background" })
    const session = yield* Fiber.join(fiber)
    yield* TestClock.adjust("10 seconds")
    yield* session.updateServers("zk2")
    yield* (yield* network.accept).greet({ timeOut: 600_000 })
    yield* passTimeAtEnd(network)
    yield* settle
    assert.deepStrictEqual([network.dialled, session.info.state._tag], [["zk2:2181"], "Connected"])
  })

  itEffect("are looked up again each minute, and a list that has changed replaces the one before", function* () {
    const dns = makeDns("zk1")
    const { network } = yield* connect(dns)
    yield* TestClock.adjust("59 seconds")
    assert.lengthOf(dns.asked, 1)
    yield* TestClock.adjust("1 second")
    assert.lengthOf(dns.asked, 2)
    assert.deepStrictEqual(network.dialled, ["zk1:2181"])
    dns.record = ["zk2"]
    yield* TestClock.adjust("1 minute")
    yield* settle
    // A server that is no longer there is left.
    const next = yield* network.accept
    assert.strictEqual(next.server, "zk2:2181")
    yield* next.greet()
  })

  itEffect("stay as they are while DNS gives no answer", function* () {
    const dns = makeDns("zk1")
    const { connection, network } = yield* connect(dns)
    dns.record = undefined
    yield* TestClock.adjust("2 minutes")
    assert.lengthOf(dns.asked, 3)
    connection.cut()
    yield* pass(3000, 500)
    const next = yield* network.accept
    assert.strictEqual(next.server, "zk1:2181")
    yield* next.greet()
  })

  itEffect("are looked up more often while there is no connection", function* () {
    const dns = makeDns("zk1")
    const { connection, network } = yield* connect(dns)
    dns.record = ["zk2"]
    network.set("zk1:2181", "refuse")
    connection.cut()
    yield* pass(5000, 500)
    assert.lengthOf(dns.asked, 2)
    const tried = network.dialled.length
    // A pause between two rounds takes five seconds at most, and the server of the old list is not tried after it.
    yield* pass(5500, 500)
    assert.deepStrictEqual(new Set(network.dialled.slice(tried)), new Set(["zk2:2181"]))
  })

  itEffect("are looked up again where a look-up never ends", function* () {
    const dns = makeDns("zk1")
    dns.silent = true
    const { fiber, network } = yield* start(dns)
    yield* TestClock.adjust("10 seconds")
    dns.silent = false
    yield* TestClock.adjust("200 millis")
    yield* (yield* network.accept).greet({ timeOut: 600_000 })
    yield* Fiber.join(fiber)
    yield* passTimeAtEnd(network)
    dns.silent = true
    yield* TestClock.adjust("1 minute")
    dns.silent = false
    dns.record = ["zk2"]
    // The look-up that never ends, and the minute until the next.
    yield* TestClock.adjust("70 seconds")
    yield* settle
    const next = yield* network.accept
    assert.strictEqual(next.server, "zk2:2181")
    yield* next.greet()
  })

  itEffect("are waited for within connectTimeout", function* () {
    const dns = makeDns("zk1")
    dns.record = undefined
    const late = yield* start(dns, { connectTimeout: "3 seconds" })
    yield* TestClock.adjust("2 seconds")
    dns.record = ["zk1"]
    yield* TestClock.adjust("500 millis")
    const connection = yield* late.network.accept
    yield* connection.greet()
    yield* Fiber.join(late.fiber)
    yield* passTimeAtEnd(late.network)
  })

  itEffect("that are not found in time are no session", function* () {
    const dns = makeDns()
    dns.record = undefined
    const { fiber } = yield* start(dns, { connectTimeout: "3 seconds" })
    yield* TestClock.adjust("3 seconds")
    const error = yield* Effect.flip(Fiber.join(fiber))
    assert.strictEqual(error._tag, "ConnectFailed")
    assert.include(error.message, `dns+srv://${name}`)
    assert.include(error.message, "no answer")
  })

  itEffect("need a transport that knows DNS, and a valid name", function* () {
    const network = yield* MemoryNetwork.make
    const refused = (servers: string, transport = network.transport) =>
      Effect.flip(Effect.provideService(makeSession({ servers }), Transport, transport))
    assert.include((yield* refused(`dns+srv://${name}`)).message, "knows no DNS")
    const { resolveSrv } = makeDns("zk1")
    for (const servers of ["dns+srv://", `dns+srv://${name}:2181`, `dns+srv://a,b`, `dns+srv://${name}/app/`]) {
      const error = yield* refused(servers, { ...network.transport, resolveSrv })
      assert.strictEqual(error._tag, "InvalidArgument")
    }
    const options = { servers: `dns+srv://${name}`, maxInFlight: 0 }
    const dns = makeDns("zk1")
    const transport = { ...network.transport, resolveSrv: dns.resolveSrv }
    const error = yield* Effect.flip(Effect.provideService(makeSession(options), Transport, transport))
    assert.strictEqual(error._tag, "InvalidArgument")
    assert.deepStrictEqual(dns.asked, [])
  })
})
