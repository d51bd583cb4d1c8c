import { assert, it } from "@effect/vitest"
import { runInNewContext } from "node:vm"
import * as Bytes from "../../src/Bytes.ts"

const bytes = new Uint8Array([1, 2])

const foreign: Uint8Array = runInNewContext("new Uint8Array([1, 2])")

it("bytes of another realm are bytes, and equal to the same ones of this realm", () => {
  assert.isFalse(foreign instanceof Uint8Array)
  for (const value of [bytes, foreign, Buffer.from(bytes)]) {
    assert.isTrue(Bytes.isBytes(value))
    assert.isTrue(Bytes.equals(bytes, value))
    assert.isTrue(Bytes.equals(value, bytes))
  }
})

it("other lengths, other bytes and other values are not equal, and other values are no bytes", () => {
  assert.isFalse(Bytes.equals(bytes, bytes.subarray(1)))
  assert.isFalse(Bytes.equals(bytes, new Uint8Array([1, 3])))
  for (const value of ["text", [1, 2], new Int8Array([1, 2]), new DataView(bytes.buffer), null, undefined, 0]) {
    assert.isFalse(Bytes.isBytes(value))
    assert.isFalse(Bytes.equals(bytes, value as never))
  }
})
