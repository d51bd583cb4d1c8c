import { type ServerAddress, ServerList } from "@effect-zookeeper/transport"
import { assert, describe, it } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

type Servers = NonEmptyReadonlyArray<ServerAddress.ServerAddress>

const address = (host: string): ServerAddress.ServerAddress => ({ host, port: 2181 })
const list = (hosts: string): Servers => hosts.split(" ").map(address) as unknown as Servers

/** Shuffles nothing; the draws that follow the shuffle of `n` servers are `draws`, then numbers near 1. */
const scripted =
  (n: number, ...draws: ReadonlyArray<number>) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const script = [...Array.from({ length: n - 1 }, () => 0.9999), ...draws]
      const nextDoubleUnsafe = () => script.shift() ?? 0.9999
      return Effect.provideService(effect, Random.Random, { nextDoubleUnsafe, nextIntUnsafe: () => 0 })
    })

const make = (hosts: string) => ServerList.make(list(hosts)).pipe(scripted(hosts.split(" ").length))

const update = (servers: ServerList.ServerList, hosts: string, current: string | undefined, ...draws: Array<number>) =>
  servers
    .update(list(hosts), current === undefined ? undefined : address(current))
    .pipe(scripted(hosts.split(" ").length, ...draws))

/** The next hosts, a "|" before each that ends a lap. */
const take = (servers: ServerList.ServerList, n: number, ...draws: Array<number>) =>
  Effect.replicateEffect(servers.next, n).pipe(
    Effect.map((all) => all.map(({ lapEnded, server }) => (lapEnded ? `|${server.host}` : server.host)).join(" ")),
    scripted(1, ...draws)
  )

describe("ServerList", () => {
  itEffect("tries every server once before it says that a lap has ended", function* () {
    const servers = yield* make("a b c")
    assert.strictEqual(yield* take(servers, 8), "a b c |a b c |a b")
  })

  itEffect("ends a lap at the server that was lost", function* () {
    const servers = yield* make("a b c")
    yield* take(servers, 2)
    yield* servers.connected(address("b"))
    assert.strictEqual(yield* take(servers, 4), "c a |b c")
  })

  itEffect("ends a lap at each attempt of a list of one, but the first", function* () {
    const servers = yield* make("a")
    assert.strictEqual(yield* take(servers, 3), "a |a |a")
    yield* servers.connected(address("a"))
    assert.strictEqual(yield* take(servers, 1), "|a")
  })

  it.effect("starts in random order, each order as likely", () =>
    Effect.gen(function* () {
      const counts = new Map<string, number>()
      for (let i = 0; i < 6000; i++) {
        const servers = yield* ServerList.make(list("a b c"))
        const order = (yield* servers.servers).map((server) => server.host).join("")
        counts.set(order, (counts.get(order) ?? 0) + 1)
      }
      assert.strictEqual(counts.size, 6)
      for (const count of counts.values()) assert.approximately(count, 1000, 150)
    }).pipe(Random.withSeed("order"))
  )

  itEffect("gives a preferred server once, and no lap counts it", function* () {
    const servers = yield* make("a b c")
    yield* take(servers, 3)
    yield* servers.prefer(address("b"))
    assert.strictEqual(yield* take(servers, 3), "b |c a")
  })

  itEffect("forgets a preferred server that a new list does not have", function* () {
    const servers = yield* make("a b c")
    yield* servers.prefer(address("b"))
    yield* update(servers, "a c", "a")
    assert.notInclude(yield* take(servers, 4), "b")
  })

  itEffect("knows its size and servers, before and after an update", function* () {
    const servers = yield* make("a b c")
    assert.strictEqual(yield* servers.size, 3)
    yield* update(servers, "a d", "a")
    assert.strictEqual(yield* servers.size, 2)
    assert.deepStrictEqual(yield* servers.servers, list("a d"))
  })

  describe("update, when the list grows", () => {
    itEffect(
      "leaves a server that stays a member with probability 1 - before / after, for new ones alone",
      function* () {
        const servers = yield* make("a b c")
        yield* servers.connected(address("a"))
        assert.isTrue(yield* update(servers, "a b c d e", "a", 0.399))
        // New ones first whatever is drawn, then the old ones, then a lap has ended.
        assert.strictEqual(yield* take(servers, 6, 0.999, 0, 0.5, 0.5, 0.5), "d e a b c |d")
      }
    )

    itEffect("stays otherwise, and goes on behind the current server", function* () {
      const servers = yield* make("a b c")
      yield* servers.connected(address("b"))
      assert.isFalse(yield* update(servers, "a b c d e", "b", 0.401))
      assert.strictEqual(yield* take(servers, 5), "c d e a |b")
    })

    itEffect("leaves a removed server for new ones", function* () {
      const servers = yield* make("a b c")
      yield* servers.connected(address("a"))
      assert.isTrue(yield* update(servers, "b c d e", "a"))
      assert.strictEqual(yield* take(servers, 4, 0.999, 0.999), "d e b c")
    })
  })

  describe("update, when the list shrinks or stays as long", () => {
    itEffect("stays at a member", function* () {
      const servers = yield* make("a b c d e")
      yield* servers.connected(address("c"))
      assert.isFalse(yield* update(servers, "a b c", "c"))
      assert.isFalse(yield* update(servers, "c x y", "c"))
      assert.strictEqual(yield* take(servers, 3), "x y |c")
    })

    itEffect("leaves a removed server for the old ones when there are no new ones", function* () {
      const servers = yield* make("a b c d e")
      yield* servers.connected(address("d"))
      assert.isTrue(yield* update(servers, "a b c", "d"))
      // pOld = 3 * 2 / (3 * 2) = 1: even a draw of 0 takes an old one.
      assert.strictEqual(yield* take(servers, 4, 0, 0, 0), "a b c |a")
    })

    itEffect(
      "leaves a removed server for old ones with probability kept * (before - after) / (after * (before - kept))",
      function* () {
        // before = 5, kept = 2, added = 1: pOld = 2 * 2 / (3 * 3) = 4/9, pNew = 5/9.
        for (const [draw, expected] of [
          [0.55, "x"],
          [0.56, "a"]
        ] as const) {
          const servers = yield* make("a b c d e")
          yield* servers.connected(address("e"))
          assert.isTrue(yield* update(servers, "a b x", "e"))
          assert.strictEqual(yield* take(servers, 1, draw), expected)
        }
      }
    )

    itEffect("leaves for new ones alone when all are replaced", function* () {
      const servers = yield* make("a b c")
      yield* servers.connected(address("a"))
      assert.isTrue(yield* update(servers, "x y z", "a"))
      assert.strictEqual(yield* take(servers, 4, 0.999, 0.999, 0.999), "x y z |x")
    })

    itEffect("leaves a server that no list had for the old ones when the list is the same", function* () {
      const servers = yield* make("a b")
      assert.isTrue(yield* update(servers, "a b", "stranger"))
      assert.strictEqual(yield* take(servers, 2, 0, 0), "a b")
    })
  })

  itEffect("ends a rebalancing at a connection", function* () {
    const servers = yield* make("a b c")
    yield* servers.connected(address("a"))
    yield* update(servers, "a b c d e", "a", 0)
    assert.strictEqual(yield* take(servers, 1), "d")
    yield* servers.connected(address("d"))
    assert.strictEqual(yield* take(servers, 5), "e a b c |d")
  })

  itEffect("without a current server takes the last one that was connected, else the first, for current", function* () {
    const connected = yield* make("a b c")
    yield* connected.connected(address("c"))
    yield* take(connected, 1)
    assert.isFalse(yield* update(connected, "c b", undefined))
    const fresh = yield* make("a b c")
    assert.isFalse(yield* update(fresh, "a b", undefined))
    const removed = yield* make("a b c")
    assert.isTrue(yield* update(removed, "b c", undefined))
  })

  itEffect("without a current server while it rebalances takes the next pick for current", function* () {
    const servers = yield* make("a b c")
    yield* servers.connected(address("a"))
    yield* update(servers, "a b c d e", "a", 0)
    // The next pick is d: it is in the list, so the client stays.
    assert.isFalse(yield* update(servers, "a d", undefined))
  })

  itEffect("compares hosts without regard to the case of letters", function* () {
    const servers = yield* make("Zk1 zk2")
    yield* servers.connected(address("zk1"))
    assert.isFalse(yield* update(servers, "zk1 zk2", "ZK1"))
    assert.strictEqual(yield* take(servers, 1), "zk2")
  })

  describe("spreads clients evenly", () => {
    const move = Effect.fnUntraced(function* (before: string, after: string, clients: number) {
      const loads = new Map<string, number>()
      let moved = 0
      for (let i = 0; i < clients; i++) {
        const servers = yield* ServerList.make(list(before))
        let { server } = yield* servers.next
        yield* servers.connected(server)
        if (yield* servers.update(list(after), server)) {
          moved++
          server = (yield* servers.next).server
          yield* servers.connected(server)
        }
        loads.set(server.host, (loads.get(server.host) ?? 0) + 1)
      }
      return { loads, moved }
    })

    // Five standard deviations of a binomial: a fixed seed makes the outcome the same each time.
    const cases = [
      { before: "a b c", after: "a b c d e", moved: 2 / 5 },
      { before: "a b c d e", after: "a b c", moved: 2 / 5 },
      { before: "a b c d", after: "a b x y", moved: 1 / 2 },
      { before: "a b c d e", after: "a b x", moved: 3 / 5 },
      { before: "a b", after: "b x y z", moved: 3 / 4 },
      { before: "a b c", after: "x y", moved: 1 },
      { before: "a b c", after: "a b c", moved: 0 }
    ]
    for (const { after, before, moved } of cases) {
      it.effect(`from ${before} to ${after}`, () =>
        Effect.gen(function* () {
          const clients = 12_000
          const outcome = yield* move(before, after, clients)
          const tolerance = (p: number) => 5 * Math.sqrt(clients * p * (1 - p))
          assert.approximately(outcome.moved, clients * moved, tolerance(moved))
          const hosts = after.split(" ")
          for (const host of hosts) {
            assert.approximately(
              outcome.loads.get(host) ?? 0,
              clients / hosts.length,
              tolerance(1 / hosts.length),
              host
            )
          }
        }).pipe(Random.withSeed(`${before} ${after}`))
      )
    }
  })
})
