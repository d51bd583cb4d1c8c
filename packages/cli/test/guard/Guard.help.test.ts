/** The help of the commands that guard another one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../support/zk.ts"

describe("the help of a guarded command", () => {
  for (const command of ["lock", "semaphore", "elect", "once"]) {
    it.effect(`names the environment and the exit codes: ${command}`, () =>
      Effect.gen(function* () {
        const { out } = yield* run([command, "--help"])
        for (const part of ["ZK_FENCING_TOKEN", "ZK_HELD_PATH", "cannot be told from zk"]) assert.include(out, part)
        for (const code of [4, 7, 124, 126, 127]) assert.match(out, new RegExp(`^ +${code} +\\w`, "m"))
      })
    )
  }

  it.effect("names the layouts", () =>
    Effect.gen(function* () {
      for (const command of ["lock", "elect"]) {
        assert.match((yield* run([command, "--help"])).out, /--layout.*Curator.*kazoo.*aiozk/)
      }
    })
  )
})
