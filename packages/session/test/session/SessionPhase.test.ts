/** The phases of a session, and which may follow which. */
import { assert, describe, it } from "@effect/vitest"
import { canFollow, isFinalPhase, type SessionPhase } from "../../src/internal/SessionPhase.ts"

const connecting: SessionPhase = { _tag: "Connecting" }
const disconnected: SessionPhase = { _tag: "Disconnected", since: 0n }
const ensembleBehind: SessionPhase = { _tag: "EnsembleBehind" }
const expired: SessionPhase = { _tag: "Expired" }
const authFailed: SessionPhase = { _tag: "AuthFailed", connection: undefined }
const closed: SessionPhase = { _tag: "Closed" }
const all = [connecting, disconnected, ensembleBehind, expired, authFailed, closed]

describe("the phases of a session", () => {
  it("end with refused credentials and with a close, which nothing follows", () => {
    assert.deepStrictEqual(all.filter(isFinalPhase), [authFailed, closed])
    for (const final of [authFailed, closed]) assert.isFalse(all.some((next) => canFollow(final, next)))
  })

  it("can all be followed by a close before the end", () => {
    for (const phase of all) assert.strictEqual(canFollow(phase, closed), !isFinalPhase(phase))
  })

  it("are told once: none follows itself", () => {
    for (const phase of all) assert.isFalse(canFollow(phase, phase))
  })

  it("lead from an expiry to a new session or to the close, and nowhere else", () => {
    assert.deepStrictEqual(
      all.filter((next) => canFollow(expired, next)),
      [connecting, closed]
    )
  })
})
