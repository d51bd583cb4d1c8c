import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Zlib from "node:zlib"
import { gunzip } from "../../src/internal/bytes/gunzip.ts"

describe("the contents of a gzip file", () => {
  it.effect("are given in small parts, also if a small file has large contents", () =>
    Effect.gen(function* () {
      const size = 67_108_864
      const file = Zlib.gzipSync(new Uint8Array(size), { level: 9 })
      assert.isBelow(file.length, 100_000)
      let total = 0
      let largest = 0
      yield* gunzip(Stream.succeed(new Uint8Array(file)), "bomb.gz").pipe(
        Stream.runForEachArray((parts) =>
          Effect.sync(() => {
            const length = parts.reduce((sum, part) => sum + part.length, 0)
            total += length
            largest = Math.max(largest, length)
          })
        )
      )
      assert.strictEqual(total, size)
      assert.isBelow(largest, 5_000_000)
    })
  )
})
