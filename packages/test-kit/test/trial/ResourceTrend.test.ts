/** The soak as a part of long runs, and the arithmetic of its trends. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as ResourceTrend from "../../src/trial/ResourceTrend.ts"

const script = fileURLToPath(new URL("../../../../scripts/soak.ts", import.meta.url))

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
  it(
    "leaves memory, handles, watches and fibers as they were, and a history without a violation",
    async () => {
      const { code, output } = await soak()
      console.log(output)
      assert.strictEqual(code, 0, output)
    },
    (MINUTES + 10) * 60_000
  )
})

const soak = (): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve) => {
    const child = ChildProcess.spawn(process.execPath, [script, "--minutes", String(MINUTES)], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString()
      })
    }
    child.once("close", (code) => resolve({ code, output }))
  })
