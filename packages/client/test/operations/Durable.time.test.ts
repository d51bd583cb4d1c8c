/** `requestTimeout` bounds a write that is repeated as a whole; lost connections bound it, too. */
import { ConnectionLoss, MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { during } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as Outcome from "../../src/Outcome.ts"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { now } from "../support/clients.ts"

const lost = (operation: string) =>
  Effect.fail(new ConnectionLoss({ operation, path: "/a", maybeApplied: true, losses: 1 }))

const session = { limits: { maxRequestSize: 1_048_575, requestTimeout: 1000 } }

describe("a write that is repeated", () => {
  itEffect("is waited for no longer than requestTimeout, its look included", function* () {
    const { zk } = yield* makeScriptedClient(
      ({ operation }) => (operation === "create" ? lost(operation) : Effect.never),
      {
        session
      }
    )
    const fiber = yield* Effect.forkChild(Effect.flip(zk.create("/a", { idempotent: true })), now)
    yield* TestClock.adjust("999 millis")
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.deepInclude({ ...(yield* Fiber.join(fiber)) }, { _tag: "ConnectionLoss", maybeApplied: true })
  })

  itEffect("goes on in the background when it is a guaranteed delete, whose caller gets RequestTimeout", function* () {
    let deletes = 0
    const { zk } = yield* makeScriptedClient(
      ({ operation }) => {
        if (operation === "delete") return deletes++ < 7 ? lost(operation) : Effect.void
        return Effect.succeed(operation === "exists" ? { stat } : { path: "/" })
      },
      { session }
    )
    const fiber = yield* Effect.forkChild(Effect.flip(zk.delete("/a", { guaranteed: true })), now)
    // In steps: a pause that is over and the timeout are told in their order.
    for (let step = 0; step < 100; step++) yield* TestClock.adjust("25 millis")
    assert.deepInclude({ ...(yield* Fiber.join(fiber)) }, { _tag: "RequestTimeout", maybeApplied: true })
    assert.strictEqual(deletes, 8)
  })

  itEffect("is given up after eight lost connections, whichever loop repeats it", function* () {
    const { asked, zk } = yield* makeScriptedClient(({ operation }) => lost(operation))
    const error = yield* during("1 minute", Effect.flip(Outcome.retryTransient(zk.set("/a", "x"))))
    assert.isTrue(Outcome.isGivenUp(error))
    assert.include(error.message, "jute.maxbuffer")
    assert.lengthOf(asked, MAX_LOSSES)
  })
})
