/** The server's messages about an address that a user has chosen, and about the reason why the system refuses it. */
import { assert, it } from "@effect/vitest"
import { ListenError } from "../../src/ListenError.ts"

it("a ListenError shows characters that could act as escapes, and keeps the address as it is beside them", () => {
  const foul = "h\u001b[2J\n\u202e:2181"
  const visible = String.raw`h\u001b[2J\u000a\u202e:2181`
  const errors = [
    new ListenError({ address: foul, reason: "WellKnownSuperUser" }),
    new ListenError({ address: foul, reason: "Listen", cause: new Error("refused") }),
    new ListenError({ address: "h:2181", reason: "Listen", cause: new Error(foul) }),
    new ListenError({ address: "h:2181", reason: "Listen", cause: foul })
  ]
  for (const error of errors) {
    assert.include(error.message, visible)
    assert.notInclude(error.message, foul)
    assert.strictEqual(structuredClone(error).message, error.message)
  }
  assert.strictEqual(errors[0]!.address, foul)
})
