/**
 * A mirror beside a writer that writes a thousand times a second, or as often as `ZK_RATE` says, through restarts of both servers
 * and a gap in its events.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { awaitCondition } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import { Mirror, TreeSource } from "../../src/index.ts"
import { differences } from "../support/liveTrees.ts"

const isLong = process.env["ZK_LONG"] === "1"

const parents = 20
const children = 50

const paths = Arr.makeBy(parents * children, (index) => `/from/p${index % parents}/c${Math.floor(index / parents)}`)

/** Milliseconds between two bursts of writes, which are all on their way at once. */
const BURST = 20
const RATE = Number(process.env["ZK_RATE"] ?? 1000)

/** Writes at the rate until it is interrupted, except while the server is away. Counts the writes that succeeded. */
const write = (zk: ZooKeeper.Service, counts: { written: number }) => {
  let next = 0
  const one = Effect.suspend(() => {
    const number = next++
    const path = paths[(number * 7919) % paths.length]!
    const request =
      number % 50 === 0
        ? Effect.asVoid(Effect.andThen(Effect.ignore(zk.delete(path)), zk.create(path, { data: `${number}` })))
        : Effect.asVoid(zk.createOrSet(path, `${number}`))
    return Effect.map(request, () => void counts.written++)
  }).pipe(Effect.ignore)
  const burst = Effect.forEach(Arr.range(1, (RATE * BURST) / 1000), () => one, {
    concurrency: "unbounded",
    discard: true
  })
  return Effect.repeat(burst, Schedule.fixed(BURST))
}

const quantile = (values: ReadonlyArray<number>, q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * values.length)] ?? Number.NaN

describe.runIf(isLong)(`a mirror at ${RATE} writes a second (in test:long only, for it takes minutes)`, () => {
  it.live(
    "survives restarts of both sides and a gap, ends equal, and tells its lag",
    () =>
      Effect.gen(function* () {
        const [source, target] = [yield* ZooKeeperServer.make(), yield* ZooKeeperServer.make()]
        const way = yield* FaultProxy.make(source, { raw: true })
        const connect = (servers: string) => clientOf(ZooKeeper.layer({ servers, sessionTimeout: "10 seconds" }))
        const writer = yield* connect(source.connectString)
        for (let n = 0; n < parents; n++) yield* writer.createWithParents(`/from/p${n}`)
        yield* Effect.forEach(paths, (path) => writer.create(path), { concurrency: 256, discard: true })
        const [from, to] = [yield* connect(way.connectString), yield* connect(target.connectString)]

        const statuses: Array<Mirror.Status> = []
        const mirror = yield* Mirror.run(from, to, {
          path: "/from",
          targetPath: "/to",
          deletes: true,
          onStatus: (status) => statuses.push(status)
        }).pipe(Effect.forkScoped)
        yield* awaitCondition(() => statuses.some(({ phase }) => phase === "following"))

        const counts = { written: 0 }
        const writing = yield* Effect.forkScoped(write(writer, counts))
        const begun = performance.now()
        yield* Effect.sleep("30 seconds")
        const calm = statuses.map(({ lag }) => lag)
        const rate = counts.written / ((performance.now() - begun) / 1000)

        const catchUps = () =>
          statuses.filter(({ phase }, at) => phase === "catchingUp" && statuses[at - 1]?.phase !== "catchingUp").length
        for (let round = 0; round < 3; round++) {
          yield* source.restart
          yield* Effect.sleep("10 seconds")
          yield* target.restart
          yield* Effect.sleep("10 seconds")
          const before = catchUps()
          // The events of these seconds are lost.
          yield* way.dropAll("rst")
          yield* way.blackHole("both")
          yield* Effect.sleep("3 seconds")
          yield* way.heal
          yield* awaitCondition(() => catchUps() > before)
          yield* Effect.sleep("5 seconds")
        }
        assert.isAbove(statuses.at(-1)!.written, 1000)
        yield* Fiber.interrupt(writing)

        const left = differences(TreeSource.live(writer, { path: "/from" }), TreeSource.live(to, { path: "/to" }), {
          counters: false
        })
        yield* left.pipe(
          Effect.retry({ while: ({ _tag }) => _tag === "NoNode" || _tag === "ConnectionLoss" }),
          Effect.delay("100 millis"),
          Effect.repeat({ until: ({ length }) => length === 0 }),
          Effect.timeout("1 minute")
        )
        yield* awaitCondition(() => statuses.at(-1)?.lag === 0)
        // A new look: all of it is written.
        const gauge = yield* Metric.value(Metric.withAttributes(Mirror.lag, { path: "/from", targetPath: "/to" }))
        assert.strictEqual(gauge.value, 0)
        yield* Effect.log(
          `${counts.written} writes, ${rate.toFixed(0)} a second in calm; lag ${quantile(calm, 0.5).toFixed(0)} ms at the median, ` +
            `${quantile(calm, 0.99).toFixed(0)} ms at the 99th percentile; ${catchUps()} looks at the whole tree`
        )
        assert.isAbove(rate, 0.9 * RATE)
        assert.isBelow(quantile(calm, 0.5), 1000)
        yield* Fiber.interrupt(mirror)
      }).pipe(Effect.scoped),
    900_000
  )
})
