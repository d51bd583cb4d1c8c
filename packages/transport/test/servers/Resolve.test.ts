import type { ServerAddress, Transport } from "@effect-zookeeper/transport"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Dgram from "node:dgram"
import * as Dns from "node:dns"
import { once } from "node:events"
import { transport } from "../support/connections.ts"

describe("resolve", () => {
  const lookup = (hosts: ReadonlyArray<string>) => ({ lookup: () => Effect.succeed(hosts) })
  const resolve = (server: ServerAddress.ServerAddress, options?: Transport.Options) =>
    Effect.flatMap(transport(options), (service) => service.resolve(server))

  itLive("gives all addresses of a name, port and scheme kept", function* () {
    const found = yield* resolve({ host: "zk", port: 1, scheme: "tls" }, lookup(["10.0.0.1", "::1"]))
    assert.sameDeepMembers(
      [...found],
      [
        { host: "10.0.0.1", port: 1, scheme: "tls" },
        { host: "::1", port: 1, scheme: "tls" }
      ]
    )
  })

  it.live("gives them in random order", () =>
    Effect.gen(function* () {
      const first = new Map<string, number>()
      for (let i = 0; i < 3000; i++) {
        const [address] = yield* resolve({ host: "zk", port: 1 }, lookup(["10.0.0.1", "10.0.0.2", "10.0.0.3"]))
        first.set(address!.host, (first.get(address!.host) ?? 0) + 1)
      }
      assert.strictEqual(first.size, 3)
      for (const count of first.values()) assert.approximately(count, 1000, 130)
    }).pipe(Random.withSeed("resolve"))
  )

  itLive("asks again at each attempt", function* () {
    let asked = 0
    const service = yield* transport({ lookup: () => Effect.sync(() => [`10.0.0.${++asked}`]) })
    yield* service.resolve({ host: "zk", port: 1 })
    assert.deepStrictEqual(yield* service.resolve({ host: "zk", port: 1 }), [{ host: "10.0.0.2", port: 1 }])
  })

  itLive("does not look IP addresses up", function* () {
    for (const host of ["127.0.0.1", "::1", "fe80::1%lo"]) {
      const server = { host, port: 1 }
      assert.deepStrictEqual(yield* resolve(server, { lookup: () => Effect.die("asked") }), [server])
    }
  })

  itLive("asks the system when no lookup is given", function* () {
    const found = yield* resolve({ host: "localhost", port: 2181 })
    assert.isNotEmpty(found)
    for (const { host } of found) assert.include(["127.0.0.1", "::1"], host)
    assert.strictEqual(new Set(found.map(({ host }) => host)).size, found.length)
  })

  itLive("fails with Resolve for a name without addresses, unknown or impossible", function* () {
    const server = { host: "zk.test", port: 2181 }
    const empty = yield* Effect.flip(resolve(server, lookup([])))
    assert.strictEqual(empty.reason, "Resolve")
    const unknown = yield* Effect.flip(resolve(server, { lookup: () => Effect.fail(new Error("ENOTFOUND")) }))
    assert.strictEqual(unknown.reason, "Resolve")
    assert.strictEqual(unknown.server, "zk.test:2181")
    assert.include(unknown.message, "ENOTFOUND")
    const impossible = yield* Effect.flip(resolve({ host: `${"a".repeat(64)}..`, port: 2181 }))
    assert.strictEqual(impossible.reason, "Resolve")
  })
})

describe("resolveSrv", () => {
  const lookupSrv = (...records: ReadonlyArray<{ readonly name: string; readonly port: number }>) => ({
    lookupSrv: () => Effect.succeed(records)
  })
  const resolveSrv = (options: Transport.Options) =>
    Effect.flatMap(transport(options), (service) => service.resolveSrv!("_zookeeper._tcp.example"))

  itLive("gives the targets of the record with their ports", function* () {
    const found = yield* resolveSrv(
      lookupSrv({ name: "zk1.example.", port: 2181 }, { name: "zk2.example", port: 2182 })
    )
    assert.deepStrictEqual(found, [
      { host: "zk1.example", port: 2181 },
      { host: "zk2.example", port: 2182 }
    ])
  })

  itLive("fails where there are none, or where DNS does", function* () {
    for (const options of [
      lookupSrv(),
      lookupSrv({ name: ".", port: 0 }),
      { lookupSrv: () => Effect.fail(new Error("ENOTFOUND")) }
    ]) {
      const error = yield* Effect.flip(resolveSrv(options))
      assert.strictEqual(error.reason, "Resolve")
      assert.include(error.message, "_zookeeper._tcp.example")
    }
  })

  itLive("asks a name server", function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const socket = Dgram.createSocket("udp4")
        socket.on("message", (question, from) => socket.send(srvAnswer(question), from.port, from.address))
        socket.bind(0, "127.0.0.1")
        await once(socket, "listening")
        return socket
      }),
      (socket) => Effect.sync(() => socket.close())
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const before = Dns.getServers()
        Dns.setServers([`127.0.0.1:${socket.address().port}`])
        return before
      }),
      (before) => Effect.sync(() => Dns.setServers(before))
    )
    assert.deepStrictEqual(yield* resolveSrv({}), [{ host: "zk1", port: 2181 }])
  })
})

/** The answer to one question: the server zk1:2181. */
const srvAnswer = (question: Buffer): Buffer => {
  const header = Buffer.from(question.subarray(0, 12))
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(1, 6)
  header.writeUInt16BE(0, 10)
  // The name and its type end four bytes after the empty label.
  const end = question.indexOf(0, 12) + 5
  const target = Buffer.from("\u0003zk1\u0000")
  const record = Buffer.alloc(18)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(33, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(60, 6)
  record.writeUInt16BE(6 + target.length, 10)
  record.writeUInt16BE(2181, 16)
  return Buffer.concat([header, question.subarray(12, end), record, target])
}
