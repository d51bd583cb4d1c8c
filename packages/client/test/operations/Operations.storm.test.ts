/** Very many events, very many pieces, very many lost answers: nothing grows, nothing is lost, and nothing is done twice. */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { retainedBytes, MiB } from "@effect-zookeeper/test-kit/MemoryUse"
import { type Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as ZooKeeper from "../../src/ZooKeeper.ts"
import { connectProxied, Op } from "../support/faults.ts"
import { connect, text, awaitCondition, eventually } from "../support/clients.ts"

itLive(
  "F24: a storm of 50,000 events costs an unread stream a Gap, others nothing, and ends with the current state",
  function* () {
    const server = yield* Layer.build(EmbeddedServer.layer())
    const { connectString } = Context.get(server, EmbeddedServer.EmbeddedServer)
    const zk = yield* connect({ servers: connectString })
    const other = yield* connect({ servers: connectString })
    yield* other.create("/storm", { data: "0" })
    const STORM = 50_000
    let latest = ""
    yield* Effect.forkScoped(
      Stream.runForEach(zk.dataChanges("/storm"), (seen) =>
        Effect.sync(() => {
          latest = Option.match(seen, { onNone: () => "", onSome: ({ data }) => text(data) })
        })
      )
    )
    const types = new Map<string, number>()
    let isRead = false
    const reader = Stream.runForEach(
      zk.events("/", { recursive: true }),
      Effect.fnUntraced(function* ({ type }) {
        types.set(type, (types.get(type) ?? 0) + 1)
        while (!isRead) yield* Effect.sleep("10 millis")
      })
    )
    yield* Effect.forkScoped(reader)
    // Until both watch.
    yield* eventually(
      Effect.as(other.set("/storm", "first"), () => types.size === 1 && latest === "first"),
      (isReady) => isReady()
    )
    const before = retainedBytes()
    for (let done = 0; done < STORM; done += 1000) {
      yield* eachAtOnce(Array.from({ length: 1000 }), (_, n) => other.set("/storm", String(done + n + 1)))
      // Requests are answered in the middle of the storm.
      yield* zk.exists("/storm")
    }
    yield* awaitCondition(() => latest === String(STORM))
    // At most 8,192 events wait for a reader.
    assert.isBelow(retainedBytes() - before, 8 * MiB)
    isRead = true
    yield* awaitCondition(() => types.get("Gap") === 1)
    assert.isBelow(types.get("NodeDataChanged") ?? 0, STORM / 2)
  }
)

const OPERATIONS = process.env["ZK_LONG"] === "1" ? 10_000 : 4000

/** So many bytes at a time in both directions. */
const inPieces = (inner: Transport["Service"], size: number): Transport["Service"] => ({
  ...inner,
  connect: (address, name) =>
    Effect.map(inner.connect(address, name), (connection): Connection => ({
      ...connection,
      pull: Effect.map(connection.pull, (chunks) => chunks.flatMap((chunk) => cut(chunk, size))),
      writeNow: undefined,
      write: (bytes) => Effect.forEach(cut(bytes, size), (piece) => connection.write(piece), { discard: true })
    }))
})

const cut = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.slice(n * size, (n + 1) * size))

itLive("F11: thousands of operations give the same results byte by byte as all at once", function* () {
  const results: Array<ReadonlyArray<string>> = []
  for (const size of [1, 1_000_000]) {
    const server = yield* Layer.build(Layer.fresh(EmbeddedServer.layerMemory))
    const transport = inPieces(Context.get(server, Transport), size)
    const layer = ZooKeeper.layerSession().pipe(
      Layer.provide(Session.layer()),
      Layer.provide(Layer.succeed(Transport, transport))
    )
    const zk = Context.get(yield* Layer.build(Layer.fresh(layer)), ZooKeeper.ZooKeeper)
    yield* zk.create("/n")
    const seen = yield* Effect.forEach(
      Array.from({ length: OPERATIONS / 4 }, (_, n) => n),
      (n) =>
        Effect.all([
          Effect.map(zk.create(`/n/${n}-`, { mode: "persistentSequential", data: `${n}` }), (path) => path),
          Effect.map(zk.set("/n", "x".repeat(n % 100)), ({ version }) => `version ${version}`),
          Effect.map(zk.get("/n"), ({ data, stat }) => `${data.length} bytes of version ${stat.version}`),
          Effect.map(Effect.result(zk.getData(`/n/none-${n}`)), (result) =>
            Result.isFailure(result) ? result.failure._tag : "a znode"
          )
        ]),
      { concurrency: 50 }
    )
    results.push(seen.flat())
  }
  const [first = [], ...others] = results
  assert.lengthOf(first, OPERATIONS)
  assert.deepStrictEqual([first[0], first[3]], ["/n/0-0000000000", "NoNode"])
  for (const other of others) assert.deepStrictEqual(other, first)
})

describe("F08: a counter under lost answers", () => {
  /** Every third answer to a write is lost, thirty times. */
  const setUp = Effect.fnUntraced(function* (name: string) {
    const { beside, proxy, zk } = yield* connectProxied(name)
    yield* beside.create("/n", { data: "0" })
    for (let lost = 0; lost < 30; lost++) {
      const match = { direction: "down", op: Op.setData } as const
      yield* proxy.rule({ match, action: { _tag: "DropAndReset" }, skip: 2 + 2 * lost })
    }
    const truth = Effect.map(beside.getData("/n"), (data) => Number(text(data)))
    return { zk, truth }
  })
  const increment = (data: Uint8Array) => String(Number(text(data)) + 1)

  itLive("counts between the writes that were reported as done and those that may be", function* () {
    const { truth, zk } = yield* setUp("count-plain")
    let done = 0
    let unknown = 0
    for (let n = 0; n < 100; n++) {
      const result = yield* Effect.result(zk.update("/n", ({ data }) => increment(data)))
      if (Result.isSuccess(result)) done++
      else if (result.failure._tag === "ConnectionLoss" && result.failure.maybeApplied) unknown++
    }
    assert.strictEqual(done + unknown, 100)
    assert.isAtLeast(unknown, 20)
    const count = yield* truth
    assert.isAtLeast(count, done)
    assert.isAtMost(count, done + unknown)
    // All of them had been applied.
    assert.strictEqual(count, 100)
  })

  itLive("counts exactly the writes that were reported as done when each is idempotent", function* () {
    const { truth, zk } = yield* setUp("count-idempotent")
    for (let n = 0; n < 100; n++) {
      const { data, stat } = yield* zk.get("/n")
      yield* zk.setData("/n", increment(data), { version: stat.version, idempotent: true })
    }
    assert.strictEqual(yield* truth, 100)
  })
})
