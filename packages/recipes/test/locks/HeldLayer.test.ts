/** Layers that are built while something is held, and torn down before another client can have it. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import type { Held } from "../../src/Held.ts"
import type { HeldLayer } from "../../src/HeldLayer.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import { awaitChildren } from "../support/holds.ts"
import { awaitCondition, closable, describeOnServers, failure, pullFrom, withClient } from "../support/targets.ts"

class Jobs extends Context.Service<Jobs, { readonly owner: string; readonly token: bigint }>()("test/Jobs") {}

interface Broken {
  readonly _tag: "Broken"
}

const broken: Broken = { _tag: "Broken" }

class Leading extends Context.Service<Leading, HeldLayer<Jobs, Broken>>()("test/Leading") {}

/** What happened to the services of all clients, in order. */
const makeRecord = () => {
  const events: Array<string> = []
  return { events, add: (event: string) => Effect.sync(() => void events.push(event)) }
}

type Record = ReturnType<typeof makeRecord>

const jobsLayer =
  (record: Record, owner: string, teardown: Effect.Effect<void> = Effect.void) =>
  (held: Held) =>
    Layer.effect(
      Jobs,
      Effect.acquireRelease(
        Effect.as(record.add(`${owner} starts`), Jobs.of({ owner, token: held.fencingToken })),
        () => Effect.andThen(teardown, record.add(`${owner} stopped`))
      )
    )

const leading = (
  zk: ZooKeeper.Service,
  inner: (held: Held) => Layer.Layer<Jobs, Broken>,
  options?: LeaderElection.LayerOptions<Broken>
) =>
  Layer.build(LeaderElection.layerService(Leading, "/leader", inner, options)).pipe(
    withClient(zk),
    Effect.map(Context.get(Leading))
  )

const tokenOf = Effect.map(Jobs, ({ token }) => token)

const silently = Effect.provideService(References.MinimumLogLevel, "None")

describeOnServers("a layer that is built while a client leads", (it) => {
  it.inChroot("is torn down before the next client builds it", function* ({ another, zk }) {
    const record = makeRecord()
    const [one, closeFirst] = yield* closable(leading(zk, jobsLayer(record, "one", Effect.sleep(100))))
    yield* one.use(Effect.void)
    const two = yield* leading(yield* another(), jobsLayer(record, "two"))
    yield* awaitChildren(zk, "/leader", 2)
    assert.isTrue(Option.isNone(yield* two.held))
    assert.deepStrictEqual(record.events, ["one starts"])
    yield* closeFirst
    yield* two.use(Effect.void, { timeout: "15 seconds" })
    assert.deepStrictEqual(record.events, ["one starts", "one stopped", "two starts"])
  })

  it.inChroot(
    "does not keep the application from starting, and provides nothing by itself",
    function* ({ another, zk }) {
      const record = makeRecord()
      yield* (yield* leading(zk, jobsLayer(record, "one"))).use(Effect.void)
      const layer = LeaderElection.layer("/leader", jobsLayer(record, "two"))
      const services: Context.Context<never> = yield* withClient(yield* another())(Layer.build(layer))
      assert.isUndefined(Context.getOrUndefined(services as Context.Context<Jobs>, Jobs))
      assert.deepStrictEqual(record.events, ["one starts"])
    }
  )

  it.inChroot("is built again, behind the others, after its znode was deleted", function* ({ another, zk }) {
    const record = makeRecord()
    const one = yield* leading(zk, jobsLayer(record, "one"))
    const token = yield* one.use(tokenOf)
    const [two, closeSecond] = yield* closable(leading(yield* another(), jobsLayer(record, "two")))
    yield* awaitChildren(zk, "/leader", 2)
    const held = Option.getOrThrow(yield* one.held)
    yield* zk.delete(held.path)
    yield* two.use(Effect.void, { timeout: "15 seconds" })
    yield* awaitCondition(() => record.events.includes("one stopped"))
    yield* closeSecond
    assert.isAbove(Number(yield* one.use(tokenOf, { timeout: "15 seconds" })), Number(token))
  })

  it.inChroot("is built again in a new session, with a larger token", function* ({ another, expire, zk }) {
    const record = makeRecord()
    const other = yield* another()
    const one = yield* leading(other, jobsLayer(record, "one"))
    const token = yield* one.use(tokenOf)
    const shown = yield* pullFrom(one.changes)
    assert.isTrue(Option.isSome(yield* shown))
    yield* expire(other)
    assert.isTrue(Option.isNone(yield* shown))
    assert.isAbove(Number(yield* one.use(tokenOf, { timeout: "15 seconds" })), Number(token))
    assert.deepStrictEqual(record.events, ["one starts", "one stopped", "one starts"])
    yield* awaitChildren(zk, "/leader", 1)
  })

  it.inChroot("stays through a lost connection", function* ({ breakable }) {
    const record = makeRecord()
    const { link, zk } = yield* breakable({ sessionTimeout: "20 seconds" })
    const one = yield* leading(zk, jobsLayer(record, "one"))
    yield* one.use(Effect.void)
    yield* link.cut
    yield* link.heal
    yield* zk.sync("/")
    yield* one.use(Effect.void, { timeout: 0 })
    assert.deepStrictEqual(record.events, ["one starts"])
  })

  it.inChroot(
    "is torn down before another client leads when it is cut off for longer than its session",
    function* ({ breakable, zk }) {
      const record = makeRecord()
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "2 seconds" })
      const one = yield* leading(broken, jobsLayer(record, "one"))
      yield* one.use(Effect.void)
      const two = yield* leading(zk, jobsLayer(record, "two"))
      yield* awaitChildren(zk, "/leader", 2)
      yield* link.cut
      yield* two.use(Effect.void, { timeout: "25 seconds" })
      assert.deepStrictEqual(record.events, ["one starts", "one stopped", "two starts"])
      yield* link.heal
    }
  )

  it.inChroot("runs effects with its services, which stop before it is torn down", function* ({ zk }) {
    const record = makeRecord()
    const one = yield* leading(zk, jobsLayer(record, "one"))
    const started = yield* Deferred.make<void>()
    const work = Effect.gen(function* () {
      yield* record.add(`working for ${(yield* Jobs).owner}`)
      yield* Deferred.succeed(started, undefined)
      return yield* Effect.never
    }).pipe(Effect.onInterrupt(() => Effect.andThen(Effect.sleep(50), record.add("work stopped"))))
    const working = yield* Effect.forkChild(one.use(work))
    yield* Deferred.await(started)
    const { path } = Option.getOrThrow(yield* one.held)
    yield* zk.delete(path)
    assert.strictEqual((yield* failure(Fiber.join(working), "LockLost")).reason, "deleted")
    yield* awaitCondition(() => record.events.includes("one stopped"))
    assert.deepStrictEqual(record.events.slice(0, 4), ["one starts", "working for one", "work stopped", "one stopped"])
  })

  it.inChroot(
    "does not run effects while another client leads, for longer than the timeout",
    function* ({ another, zk }) {
      const record = makeRecord()
      const one = yield* leading(zk, jobsLayer(record, "one"))
      yield* one.use(Effect.void)
      const two = yield* leading(yield* another(), jobsLayer(record, "two"))
      yield* failure(two.use(Effect.die("led"), { timeout: 0 }), "LockTimeout")
      yield* failure(two.use(Effect.die("led"), { timeout: 30 }), "LockTimeout")
      yield* failure(two.use(Effect.void, { timeout: -1 }), "InvalidArgument")
    }
  )

  it.inChroot("lets another client lead when it cannot be built, and is tried again", function* ({ another, zk }) {
    const record = makeRecord()
    let attempts = 0
    const inner = () => {
      attempts++
      return attempts < 3
        ? Layer.effect(Jobs, Effect.fail(broken))
        : Layer.succeed(Jobs, Jobs.of({ owner: "healed", token: 0n }))
    }
    const one = yield* silently(leading(zk, inner, { retry: Schedule.spaced("200 millis") }))
    const [two, closeSecond] = yield* closable(leading(yield* another(), jobsLayer(record, "two")))
    yield* two.use(Effect.void, { timeout: "15 seconds" })
    yield* closeSecond
    assert.strictEqual(
      yield* one.use(
        Effect.map(Jobs, ({ owner }) => owner),
        { timeout: "15 seconds" }
      ),
      "healed"
    )
    assert.strictEqual(attempts, 3)
  })

  it.inChroot("fails for good when its schedule has ended, and is no candidate again", function* ({ zk }) {
    const inner = () => Layer.effect(Jobs, Effect.fail(broken))
    const one = yield* silently(leading(zk, inner, { retry: Schedule.recurs(1) }))
    assert.strictEqual(yield* Effect.flip(one.failure), broken)
    assert.strictEqual(yield* Effect.flip(one.use(Effect.void)), broken)
    yield* awaitChildren(zk, "/leader", 0)
  })

  it.inChroot("shares the layers that the application has, and builds all others anew", function* ({ zk }) {
    const record = makeRecord()
    const counted = (name: string) =>
      Layer.effectDiscard(Effect.acquireRelease(record.add(`${name} starts`), () => record.add(`${name} stopped`)))
    const shared = counted("shared")
    const own = counted("own")
    const inner = () => Layer.mergeAll(Layer.succeed(Jobs, Jobs.of({ owner: "one", token: 0n })), shared, own)
    const application = LeaderElection.layerService(Leading, "/leader", inner).pipe(Layer.provideMerge(shared))
    const one = Context.get(yield* withClient(zk)(Layer.build(application)), Leading)
    yield* one.use(Effect.void)
    yield* zk.delete(Option.getOrThrow(yield* one.held).path)
    yield* awaitCondition(() => record.events.filter((event) => event === "own starts").length === 2)
    assert.deepStrictEqual(record.events, ["shared starts", "own starts", "own stopped", "own starts"])
  })
})

describeOnServers("a layer that is built under a lock", (it) => {
  it.inChroot("is built by one client after the other", function* ({ another, zk }) {
    let inside = 0
    let builds = 0
    const layer = Layer.effectDiscard(
      Effect.acquireRelease(
        Effect.sync(() => {
          assert.strictEqual(++inside, 1)
          builds++
        }),
        () => Effect.sync(() => void inside--)
      )
    )
    for (const client of [zk, yield* another(), yield* another()]) {
      const [, close] = yield* closable(withClient(client)(Layer.build(Lock.layer("/lock", layer))))
      yield* awaitCondition(() => inside === 1)
      if (builds < 3) yield* Effect.forkChild(Effect.andThen(Effect.sleep(20), close))
      yield* awaitCondition(() => builds === 3 || inside === 0)
    }
    assert.strictEqual(builds, 3)
  })

  it.inChroot("refuses options that it does not know", function* ({ zk }) {
    const layer = Lock.layer("/lock", Layer.empty, { layer: true } as never)
    yield* failure(withClient(zk)(Layer.build(layer)), "InvalidArgument")
  })
})
