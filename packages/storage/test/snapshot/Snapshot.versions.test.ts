import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { type MalformedFile, Snapshot } from "../../src/index.ts"
import { adler32 } from "../../src/internal/bytes/adler32.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import { int, long, text } from "../support/fields.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"

/** Adds a part and the checksum of everything before it. */
const sealed = (bytes: Uint8Array, part: Uint8Array): Uint8Array => {
  const contents = Buffer.concat([bytes, part])
  return new Uint8Array(Buffer.concat([contents, long(adler32(contents)), text("/")]))
}

/** The end of a snapshot with these bytes. */
const endOf = (bytes: Uint8Array) =>
  collect(Snapshot.read("/snapshot.7")).pipe(
    withMemory({ "/snapshot.7": bytes }),
    Effect.map(({ error, records }): object => error ?? records.at(-1)!)
  )

describe("a snapshot ends", () => {
  it.live("as ZooKeeper 3.4, 3.6, 3.7 and 3.9 end it", () =>
    Effect.gen(function* () {
      const folder = yield* TemporaryFolder.make("snapshot-")
      const whole = new Uint8Array(Fs.readFileSync(yield* Snapshot.write(folder, MutableTree.initial(true))))
      const old = whole.slice(0, -33)
      const digest = Buffer.concat([long(7n), int(2), long(-5n)])
      const text = Buffer.concat([long(7n), int(1), int(4), Buffer.from("00ff")])
      const expected = (rest: object) => ({ _tag: "End", digest: undefined, lastZxid: undefined, ...rest })
      const known = { zxid: 7n, version: 2, value: -5n }

      assert.deepInclude(yield* endOf(old), expected({ size: old.length }))
      const with38 = sealed(old, digest)
      assert.deepInclude(yield* endOf(with38), expected({ digest: known }))
      assert.deepInclude(yield* endOf(sealed(old, text)), expected({ digest: { zxid: 7n, version: 1, value: 255n } }))
      assert.deepInclude(yield* endOf(sealed(with38, long(9n))), expected({ digest: known, lastZxid: 9n }))
      assert.deepInclude(yield* endOf(sealed(old, long(9n))), expected({ lastZxid: 9n }))
      const other = (yield* endOf(Buffer.concat([with38, int(1)]))) as MalformedFile
      assert.strictEqual(other.problem, "Truncated")
    }).pipe(withFiles)
  )
})
