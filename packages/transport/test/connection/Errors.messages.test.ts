/** Errors of connections quote text that servers, systems or users have chosen. */
import { assert, describe, it } from "@effect/vitest"
import { TlsError } from "../../src/TlsError.ts"
import { TransportError } from "../../src/TransportError.ts"

describe("messages of errors", () => {
  it("show characters that could act as escapes, and keep the text as it is beside them", () => {
    const foul = "zk\u001b[2J\n\u202e:2181"
    const visible = String.raw`zk\u001b[2J\u000a\u202e:2181`
    const cause = new Error(foul)
    const refused = new TransportError({ server: foul, reason: "Open" })
    const errors = [
      refused,
      new TransportError({ server: "zk:2181", reason: "Read", cause }),
      new TlsError({ reason: "Handshake", message: foul, cause })
    ]
    for (const error of errors) {
      assert.include(error.message, visible)
      assert.notInclude(error.message, foul)
      assert.strictEqual(structuredClone(error).message, error.message)
      assert.strictEqual(JSON.parse(JSON.stringify(error)).message, error.message)
    }
    assert.strictEqual(refused.server, foul)
    assert.strictEqual(errors[1]!.cause, cause)
  })
})
