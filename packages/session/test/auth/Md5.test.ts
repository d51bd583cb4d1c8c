import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { md5 } from "../../src/internal/auth/md5.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("md5", () => {
  it("gives the digests of RFC 1321", () => {
    const digest = (text: string) => hex(md5(new TextEncoder().encode(text)))
    assert.strictEqual(digest(""), "d41d8cd98f00b204e9800998ecf8427e")
    assert.strictEqual(digest("abc"), "900150983cd24fb0d6963f7d28e17f72")
    assert.strictEqual(
      digest("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
      "57edf4a22be3c955ac49da2e2107b67a"
    )
  })

  it("agrees with another implementation at every length around the blocks", () => {
    for (let length = 0; length < 260; length++) {
      const message = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 255)
      assert.strictEqual(hex(md5(message)), createHash("md5").update(message).digest("hex"), `length ${length}`)
    }
  })
})
