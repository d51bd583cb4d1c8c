/** The members that a command asks while it runs. */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { follow } from "../../src/internal/diagnose/network.ts"

const server = (host: string): ServerAddress => ({ host, port: 2181 })

describe("the members of a command that goes on", () => {
  /** The servers that are found at each question, until there is no answer any more. */
  const following = (every: "30 seconds" | undefined, answers: ReadonlyArray<ReadonlyArray<string>>) =>
    Effect.gen(function* () {
      let asked = 0
      const heard: Array<string> = []
      const find = Effect.suspend(() => {
        const answer = answers[asked++]
        return answer === undefined ? Effect.fail("no answer") : Effect.succeed(answer.map(server))
      })
      const known = yield* follow(find, every, (servers) =>
        Effect.sync(() => heard.push(servers.map(({ host }) => host).join()))
      )
      yield* TestClock.adjust("2 minutes")
      return { asked, heard, last: known().map(({ host }) => host) }
    })

  it.effect("are those that come and go", () =>
    Effect.gen(function* () {
      const { heard, last } = yield* following("30 seconds", [
        ["zk1"],
        ["zk1"],
        ["zk1", "zk2"],
        ["zk2", "zk1"],
        ["zk2"]
      ])
      assert.deepStrictEqual(heard, ["zk1", "zk1,zk2", "zk2"])
      assert.deepStrictEqual(last, ["zk2"])
    })
  )

  it.effect("stay where they cannot be asked for, or are fixed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* following("30 seconds", [["zk1"]]), { asked: 5, heard: ["zk1"], last: ["zk1"] })
      assert.deepStrictEqual(yield* following(undefined, [["zk1"]]), { asked: 1, heard: ["zk1"], last: ["zk1"] })
    })
  )
})
