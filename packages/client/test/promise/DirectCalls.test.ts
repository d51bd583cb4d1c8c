import { assert, describe, it } from "@effect/vitest"
import * as Exit from "effect/Exit"
import { DirectCalls } from "../../src/internal/promise/DirectCalls.ts"
import type { StartRequest } from "../../src/internal/promise/directRequest.ts"

type Resume = Parameters<StartRequest<string, Error>>[0]

const gone = () => new Error("the client was closed")

const messageOf = (promise: Promise<string>) =>
  promise.then(
    (value) => `resolved: ${value}`,
    (error: unknown) => (error instanceof Error ? error.message : String(error))
  )

/** Three calls; what each resumes with, and which were given up. */
const three = () => {
  const calls = new DirectCalls()
  const resumes: Array<Resume> = []
  const givenUp: Array<number> = []
  const outcomes = [0, 1, 2].map((index) =>
    messageOf(
      calls.start<string>((resume) => {
        resumes.push(resume)
        return index === 0 ? undefined : () => void givenUp.push(index)
      }, undefined)
    )
  )
  return { calls, givenUp, outcomes, resumes }
}

describe("calls without a fiber", () => {
  it("settle with the outcome of their request, in any order, also at once", async () => {
    const { calls, givenUp, outcomes, resumes } = three()
    resumes[1]!(Exit.succeed("b"))
    resumes[2]!(Exit.fail(new Error("c")))
    resumes[0]!(Exit.succeed("a"))
    assert.deepStrictEqual(await Promise.all(outcomes), ["resolved: a", "resolved: b", "c"])
    const now = calls.start<string>((resume) => {
      resume(Exit.succeed("now"))
      return undefined
    }, undefined)
    calls.endAll(gone)
    assert.strictEqual(await now, "now")
    assert.deepStrictEqual(givenUp, [])
  })

  for (const [title, answered, left] of [
    ["of three", [], [1, 2]],
    ["but the first", [0], [1, 2]],
    ["but the second", [1], [2]],
    ["but the last", [2], [1]]
  ] as const) {
    it(`all ${title} are rejected and given up at the end, and a reply that comes later changes nothing`, async () => {
      const { calls, givenUp, outcomes, resumes } = three()
      for (const index of answered) resumes[index]!(Exit.succeed("in time"))
      calls.endAll(gone)
      for (const resume of resumes) resume(Exit.succeed("late"))
      const expected = [0, 1, 2].map((index) =>
        answered.some((one) => one === index) ? "resolved: in time" : gone().message
      )
      assert.deepStrictEqual(await Promise.all(outcomes), expected)
      assert.deepStrictEqual(givenUp, [...left])
      calls.endAll(() => assert.fail("none is left"))
    })
  }

  it("reject if their request cannot be made, by the function that is given", async () => {
    const calls = new DirectCalls()
    const broken = (): never => {
      throw new Error("broken")
    }
    const wrapped = calls.start<string>(broken, (reject) => (reason) => reject(new Error(`with its stack: ${reason}`)))
    assert.strictEqual(await messageOf(wrapped), "with its stack: Error: broken")
    calls.endAll(() => assert.fail("none is left"))
  })
})
