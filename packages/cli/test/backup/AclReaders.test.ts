/** The clients that ask for ACLs while a large tree is read. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Client, Reader } from "../../src/internal/frame/Client.ts"
import { openAclReaders } from "../../src/internal/backup/aclReaders.ts"

/** A client whose connections are made one after the other, each by the next of these Effects. */
const clientOf = (connect: (nth: number) => Effect.Effect<object>) => {
  const opened = { times: 0 }
  const reader = Effect.suspend(() => connect(opened.times++))
  return { client: { reader } as unknown as Client["Service"], opened }
}

const readerOf = (znodes: number, session: object = {}) =>
  ({ session, countDescendants: () => Effect.succeed(znodes) }) as unknown as Reader

const anew = () => Effect.sync(() => ({ session: {} }))

describe("the clients that ask for ACLs", () => {
  it.effect("are seven more where a tree is large, and none where it is small", () =>
    Effect.gen(function* () {
      const { client, opened } = clientOf(anew)
      assert.lengthOf(yield* openAclReaders(client, readerOf(100_000), "/app"), 7)
      assert.strictEqual(opened.times, 7)
      assert.lengthOf(yield* openAclReaders(client, readerOf(100), "/app"), 0)
      assert.strictEqual(opened.times, 7)
    }).pipe(Effect.scoped)
  )

  it.effect("are those that the servers let in within a second", () =>
    Effect.gen(function* () {
      const { client } = clientOf((nth) => (nth < 3 ? anew() : Effect.never))
      const opening = yield* Effect.forkScoped(openAclReaders(client, readerOf(100_000), "/app"))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(opening), 3)
    }).pipe(Effect.scoped)
  )

  it.effect("are none at the prompt, where all commands have one session", () =>
    Effect.gen(function* () {
      const session = {}
      const { client } = clientOf(() => Effect.succeed({ session }))
      assert.lengthOf(yield* openAclReaders(client, readerOf(100_000, session), "/app"), 0)
    }).pipe(Effect.scoped)
  )
})
