import type { ServerAddress, Transport } from "@effect-zookeeper/transport"
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
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
