/**
 * A process of its own (`node functionCalls.ts <servers>`) that makes a hundred requests of each kind, and prints how often each
 * function of Effect was called meanwhile, as JSON: `Report`. Whatever else ran in the process would be counted as well.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Inspector from "node:inspector/promises"
import { PromiseClient, ZooKeeper } from "../../src/index.ts"

/** How many requests of a kind are counted. */
export const REQUESTS = 100

/** How often each function of Effect was called, by `File.function`. */
export type Calls = Readonly<Record<string, number>>

/** By what was asked. */
export interface Report {
  readonly effect: Readonly<Record<string, Calls>>
  readonly promise: Readonly<Record<string, Calls>>
  /** Sessions that connect, read and close. */
  readonly sessions: Calls
  /** Requests with a thing that no request may have, by its name. */
  readonly controls: Readonly<Record<Control, Calls>>
}

export type Control = "fibers" | "spans" | "timers" | "parsers" | "streams"

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
        const calls: Record<string, number> = {}
        for (const { functions, url } of result) {
          const file = /\/effect\/(?:dist|src)\/(.*)\.[jt]s$/.exec(url)?.[1]
          if (file === undefined) continue
          for (const { functionName, ranges } of functions) {
            const name = `${file}.${functionName}`
            calls[name] = (calls[name] ?? 0) + (ranges[0]?.count ?? 0)
          }
        }
        return calls
      }),
    (inspector) => Effect.sync(() => inspector.disconnect())
  )

const each = Effect.fnUntraced(function* <A, E>(work: (index: number) => Effect.Effect<A, E>) {
  for (let index = 0; index < REQUESTS; index++) yield* work(index)
})

const countAll = <K extends string>(rows: Record<K, Effect.Effect<unknown, unknown>>) =>
  Effect.gen(function* () {
    const counts: Array<readonly [string, Calls]> = []
    for (const [name, work] of Object.entries<Effect.Effect<unknown, unknown>>(rows)) {
      counts.push([name, yield* counted(work)])
    }
    return Object.fromEntries(counts) as Record<K, Calls>
  })

const program = Effect.fnUntraced(function* (servers: string) {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.create("/a", { data: "1" })
  const get = zk.get("/a")
  const effect = yield* countAll({
    get: each(() => get),
    set: each(() => zk.set("/a", "2")),
    create: each((index) => zk.create(`/n${index}`, { data: "x" })),
    getChildren: each(() => zk.getChildren("/")),
    stat: each(() => zk.stat("/a")),
    watch: each(() => zk.getAndWatch("/a")),
    delete: each((index) => zk.delete(`/n${index}`))
  })

  const client = yield* Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk)))
  const asked: Record<string, (index: number) => Promise<unknown>> = {
    get: () => client.get("/a"),
    set: () => client.set("/a", "2"),
    create: (index) => client.create(`/n${index}`, { data: "x" }),
    getChildren: () => client.getChildren("/"),
    delete: (index) => client.delete(`/n${index}`)
  }
  const promises = Object.entries(asked).map(([name, ask]) => {
    const work = Effect.promise(async () => {
      for (let index = 0; index < REQUESTS; index++) await ask(index)
    })
    return [name, work] as const
  })
  const promise = yield* countAll(Object.fromEntries(promises))

  const session = Effect.scoped(
    Effect.flatMap(Layer.build(ZooKeeper.layer({ servers })), (context) =>
      Context.get(context, ZooKeeper.ZooKeeper).get("/a")
    )
  )
  // The first one loads modules.
  yield* session
  const { sessions } = yield* countAll({ sessions: each(() => session) })

  const controls = yield* countAll<Control>({
    fibers: each(() => Effect.flatMap(Effect.forkChild(get), Fiber.join)),
    spans: Effect.withSpan(
      each(() => get),
      "control"
    ),
    timers: each(() => Effect.andThen(Effect.sleep(0), get)),
    parsers: each(() => Effect.flatMap(get, ({ stat }) => Schema.decodeUnknownEffect(Schema.Int)(stat.version))),
    streams: each(() => Stream.runDrain(Stream.fromEffect(get)))
  })
  return { effect, promise, sessions, controls } satisfies Report
})

if (import.meta.main) {
  const [, , servers = ""] = process.argv
  const report = program(servers).pipe(Effect.provide(ZooKeeper.layer({ servers })), Effect.scoped)
  process.stdout.write(JSON.stringify(await Effect.runPromise(report)))
}
