/** What errors of recipes say of paths that others have chosen. */
import { assert, describe, it } from "@effect/vitest"
import { LockLost, LockTimeout } from "../../src/Errors.ts"

describe("messages of errors", () => {
  it("show characters that could act as escapes, and keep the path as it is beside them", () => {
    const path = "/locks/a\u001b[2J\n\u202eb"
    for (const error of [new LockTimeout({ path, timeout: 5 }), new LockLost({ path, reason: "deleted" })]) {
      assert.include(error.message, String.raw`/locks/a\u001b[2J\u000a\u202eb`)
      assert.strictEqual(error.path, path)
      assert.strictEqual(structuredClone(error).message, error.message)
    }
  })
})
