/** The soak as a part of long runs, and the arithmetic of its trends. */
import { assert, describe, it } from "@effect/vitest"
import { itLive } from "../../src/TestWith.ts"
import * as ResourceTrend from "../../src/trial/ResourceTrend.ts"
import * as Command from "../support/command.ts"

const MINUTES = 30

describe("the trend of samples", () => {
  const sample = (at: number, more: Partial<ResourceTrend.Sample> = {}): ResourceTrend.Sample => ({
    at,
    heap: 30_000_000,
    code: 0,
    external: 0,
    rss: 0,
    handles: 50,
    fibers: 100,
    watches: 10,
    serverWatches: 10,
    ...more
  })
  const samples = (of: (n: number) => Partial<ResourceTrend.Sample>) =>
    Array.from({ length: 100 }, (_, n) => sample(n * 10, of(n)))
  const rising = (samples: ReadonlyArray<ResourceTrend.Sample>) =>
    ResourceTrend.trends(samples).flatMap(({ isFlat, quantity }) => (isFlat ? [] : [quantity]))

  it("is flat for quantities that vary around a mean, and for those that fall", () => {
    assert.deepStrictEqual(rising(samples((n) => ({ fibers: 100 + (n % 7), heap: 30_000_000 - n * 1000 }))), [])
  })

  it("leaves out the first fifth, in which everything grows", () => {
    assert.deepStrictEqual(rising(samples((n) => ({ heap: n < 20 ? n * 1_000_000 : 20_000_000 }))), [])
  })

  it("rises for one more of anything with each fault", () => {
    assert.deepStrictEqual(
      rising(samples((n) => ({ fibers: 100 + n, handles: 50 + n, watches: n, serverWatches: n, heap: n * 30_000 }))),
      ["heap", "handles", "fibers", "watches", "serverWatches"]
    )
  })

  it("is that of least squares", () => {
    const { mean, slope } = ResourceTrend.line([0, 1, 2, 3].map((x) => ({ x, y: 2 * x + 1 })))
    assert.closeTo(slope, 2, 1e-9)
    assert.closeTo(mean, 4, 1e-9)
  })
})

describe.runIf(process.env["ZK_LONG"] === "1")(`a soak of ${MINUTES} minutes (in test:long only)`, () => {
  itLive(
    "leaves memory, handles, watches and fibers as they were, and a history without a violation",
    { timeout: (MINUTES + 10) * 60_000 },
    function* () {
      const { code, stderr, stdout } = yield* Command.run("soak", ["--minutes", String(MINUTES)])
      console.log(stdout + stderr)
      assert.strictEqual(code, 0, stdout + stderr)
    }
  )
})
