/** How fast large answers come over TCP, beside a real server with the same client. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { atOnce } from "@effect-zookeeper/test-kit/Expectations"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { EmbeddedServer, layer } from "../../src/EmbeddedServer.ts"

/**
 * Rounds on each server, in turns. The medians are compared, so that a machine which is busy for a while decides nothing, nor a
 * moment in which a server had a core for itself.
 */
const ROUNDS = 10

/** Milliseconds that are too few to tell servers apart. */
const SLACK = 30

/** Creates a znode of 200 kB. The effect reads it a hundred times at once, and tells how many milliseconds that took. */
const reader = Effect.fnUntraced(function* (servers: string, path: string) {
  const zk = yield* clientOf(ZooKeeper.layer({ servers }))
  yield* zk.create(path, { data: new Uint8Array(200_000).fill(7) })
  yield* Effect.addFinalizer(() => Effect.ignore(zk.delete(path)))
  return Effect.gen(function* () {
    const [took, read] = yield* Effect.timed(atOnce(Effect.replicate(zk.getData(path), 100)))
    assert.isTrue(read.every((data) => data.length === 200_000))
    return Duration.toMillis(took)
  }).pipe(Effect.timeout("20 seconds"))
})

const median = (of: ReadonlyArray<number>): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? Number.NaN

const itOverTcp = testOn(it.live, layer(), Effect.void)

itOverTcp("a hundred reads of 200 kB at once take no longer than three times the real server's", function* () {
  const { connectString } = yield* EmbeddedServer
  const readOurs = yield* reader(connectString, "/large")
  const readReal = yield* reader(TestServer.connectString(), TestServer.freshPath("large"))
  const ours: Array<number> = []
  const real: Array<number> = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(yield* readOurs)
    real.push(yield* readReal)
  }
  const times = (of: ReadonlyArray<number>) => of.map(Math.round).join(" ")
  const report = `ms on ours: ${times(ours)}; on the real server: ${times(real)}`
  assert.isAtMost(median(ours), 3 * median(real) + SLACK, report)
})
