/**
 * The cost of a request beside its bytes: V8 counts the calls of every function, so that nothing can hide.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Inspector from "node:inspector/promises"
import { PromiseClient, SessionClosed, ZooKeeper } from "../../src/index.ts"
import { itInChroot, connectFresh } from "../support/clients.ts"

/** How often each function of Effect was called, by `File.function`. */
type Calls = ReadonlyMap<string, number>

const counted = (work: Effect.Effect<unknown, unknown>): Effect.Effect<Calls> =>
  Effect.acquireUseRelease(
    Effect.promise(async () => {
      const inspector = new Inspector.Session()
      inspector.connect()
      await inspector.post("Profiler.enable")
      await inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false })
      await inspector.post("Profiler.takePreciseCoverage")
      return inspector
    }),
    (inspector) =>
      Effect.gen(function* () {
        yield* Effect.orDie(work)
        const { result } = yield* Effect.promise(() => inspector.post("Profiler.takePreciseCoverage"))
        const calls = new Map<string, number>()
        for (const { functions, url } of result) {
          const file = /\/effect\/(?:dist|src)\/(.*)\.[jt]s$/.exec(url)?.[1]
          if (file === undefined) continue
          for (const { functionName, ranges } of functions) {
            const key = `${file}.${functionName}`
            calls.set(key, (calls.get(key) ?? 0) + (ranges[0]?.count ?? 0))
          }
        }
        return calls
      }),
    (inspector) => Effect.sync(() => inspector.disconnect())
  )

const requests = 100

/** Counted calls are slow ones, and a busy machine is slower. */
const TEST_OPTIONS = { timeout: 180_000 }

/** Less often than once in four requests: the occasional work of the session itself does not count. */
const often = requests / 4

/** The calls for each request, of files or functions that match. */
const perRequest = (calls: Calls, pattern: RegExp): ReadonlyArray<string> =>
  [...calls].filter(([name, count]) => pattern.test(name) && count >= often).map(([name, count]) => `${name}: ${count}`)

const fibers = /^internal\/effect\.(?:FiberImpl|fork\w*|runFork\w*)$/
const spans = /(?:NativeSpan|makeSpan|useSpan|withSpan)/
const timers = /(?:\.sleep|\.timeout\w*|\.delay|^Clock\.|^Schedule\.|^internal\/schedule\.)/
const parsers = /^(?:Schema|SchemaParser|SchemaAST|SchemaIssue|SchemaTransformation|internal\/schema\/\w+)\../
const streams = /^(?:Stream|Channel|Pull|Sink|Queue|PubSub|Deferred|Latch|Semaphore)\../

const forbidden = { fibers, spans, timers, parsers, streams }

const assertLean = (calls: Calls) => {
  for (const [what, pattern] of Object.entries(forbidden)) {
    assert.deepStrictEqual(perRequest(calls, pattern), [], `${what} for each request`)
  }
}

const each = Effect.fnUntraced(function* <A, E>(work: (index: number) => Effect.Effect<A, E>) {
  for (let index = 0; index < requests; index++) yield* work(index)
})

describe("a request makes no fiber, span, timer, Stream or Schema's parse", () => {
  itLive("in the Effect API", TEST_OPTIONS, function* () {
    const { zk } = yield* connectFresh("hot-effect")
    yield* zk.create("/a", { data: "1" })
    const rows = {
      get: each(() => zk.get("/a")),
      set: each(() => zk.set("/a", "2")),
      create: each((index) => zk.create(`/n${index}`, { data: "x" })),
      getChildren: each(() => zk.getChildren("/")),
      stat: each(() => zk.stat("/a")),
      watch: each(() => zk.getAndWatch("/a")),
      delete: each((index) => zk.delete(`/n${index}`))
    }
    for (const work of Object.values(rows)) assertLean(yield* counted(work))
  })

  itLive("in the Promise facade", TEST_OPTIONS, function* () {
    const { zk } = yield* connectFresh("hot-promise")
    const client = yield* Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk)))
    yield* Effect.promise(() => client.create("/a", { data: "1" }))
    const rows: Record<string, (index: number) => Promise<unknown>> = {
      get: () => client.get("/a"),
      set: () => client.set("/a", "2"),
      create: (index) => client.create(`/n${index}`, { data: "x" }),
      getChildren: () => client.getChildren("/"),
      delete: (index) => client.delete(`/n${index}`)
    }
    for (const ask of Object.values(rows)) {
      const work = Effect.promise(async () => {
        for (let index = 0; index < requests; index++) await ask(index)
      })
      assertLean(yield* counted(work))
    }
  })

  itInChroot(
    "and is refused all the same when a client closes whose session is another's and goes on",
    function* ({ zk }) {
      const client = yield* Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk)))
      const asked = client.get("/").catch((error: unknown) => error)
      yield* Effect.promise(() => client.close())
      assert.instanceOf(yield* Effect.promise(() => asked), SessionClosed)
      assert.isTrue(yield* zk.exists("/"))
    }
  )

  itLive("which is not for want of looking: each of them is seen where there is one", TEST_OPTIONS, function* () {
    const { zk } = yield* connectFresh("hot-control")
    yield* zk.create("/a", { data: "1" })
    const get = zk.get("/a")
    const controls: Record<keyof typeof forbidden, Effect.Effect<unknown, unknown>> = {
      fibers: each(() => Effect.flatMap(Effect.forkChild(get), Fiber.join)),
      spans: Effect.withSpan(
        each(() => get),
        "control"
      ),
      timers: each(() => Effect.andThen(Effect.sleep(0), get)),
      parsers: each(() => Effect.flatMap(get, ({ stat }) => Schema.decodeUnknownEffect(Schema.Int)(stat.version))),
      streams: each(() => Stream.runDrain(Stream.fromEffect(get)))
    }
    for (const [what, work] of Object.entries(controls)) {
      const pattern = forbidden[what as keyof typeof forbidden]
      assert.isNotEmpty(perRequest(yield* counted(work), pattern), what)
    }
  })
})
