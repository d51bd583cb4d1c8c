/** Writes that `Outcome` repeats: one attempt may have been applied, and another one ends them. */
import {
  ConnectionLoss,
  NodeExists,
  ServerRefused,
  SessionClosed,
  SessionExpired
} from "@effect-zookeeper/client/Errors"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { during } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as Outcome from "../../src/Outcome.ts"
import { makeScriptedClient } from "../support/scriptedClient.ts"

const lost = new ConnectionLoss({ operation: "setData", path: "/a", maybeApplied: true, losses: 1 })
const unsent = new ConnectionLoss({ operation: "setData", path: "/a", maybeApplied: false, losses: 0 })
const expired = new SessionExpired({ sessionId: 7n, maybeApplied: false })

/** The error of a write that is repeated, and whose attempts fail with these. */
const errorOf = Effect.fnUntraced(function* (...attempts: ReadonlyArray<unknown>) {
  const { asked, zk } = yield* makeScriptedClient((_, index) => Effect.fail(attempts[index]))
  const write = zk.set("/a", "x")
  const repeated = [Outcome.retryTransient(write), Outcome.retryAcrossSessions(zk.session, write)]
  const error = yield* during("1 minute", Effect.flip(repeated[attempts.includes(expired) ? 1 : 0]!))
  assert.lengthOf(asked, attempts.length)
  return error
})

describe("a write that is repeated after a lost reply", () => {
  const last = [
    new SessionClosed({ maybeApplied: false }),
    new ConnectionLoss({ operation: "setData", path: "/a", maybeApplied: false, losses: 8 }),
    new ServerRefused({ operation: "setData", path: "/a", code: -115, name: "AuthFailed" })
  ]
  for (const end of last) {
    itEffect(`says that it may have been applied when it ends with ${end._tag}`, function* () {
      const error = yield* errorOf(lost, unsent, end)
      assert.strictEqual(error._tag, end._tag)
      assert.isTrue(Outcome.mayBeApplied(error))
    })
  }

  itEffect("says so also when it was repeated in the session that followed", function* () {
    const error = yield* errorOf(lost, expired, unsent, new SessionClosed({ maybeApplied: false }))
    assert.deepInclude({ ...error }, { _tag: "SessionClosed", maybeApplied: true })
  })

  itEffect("says so when the session expires and none follows", function* () {
    const state = { _tag: "Expired" } as const
    const { zk } = yield* makeScriptedClient((_, index) => Effect.fail(index === 0 ? lost : expired), { state })
    const error = yield* during("1 minute", Effect.flip(Outcome.retryAcrossSessions(zk.session, zk.set("/a", "x"))))
    assert.deepInclude({ ...error }, { _tag: "SessionExpired", maybeApplied: true })
  })

  itEffect("is told what a server has answered", function* () {
    const answer = new NodeExists({ operation: "create", path: "/a" })
    const error: unknown = yield* errorOf(lost, answer)
    assert.strictEqual(error, answer)
  })

  itEffect("says that it was not applied when no attempt was sent", function* () {
    const error = yield* errorOf(unsent, expired, new SessionClosed({ maybeApplied: false }))
    assert.deepInclude({ ...error }, { _tag: "SessionClosed", maybeApplied: false })
  })
})

describe("clients that give up a request at the same moment", () => {
  itEffect("do not come back at the same moment", function* () {
    const pauses = yield* Effect.all(Array.from({ length: 100 }, () => Outcome.longPause))
    assert.isAtLeast(Math.min(...pauses), 48_000)
    assert.isAtMost(Math.max(...pauses), 72_000)
    assert.isAbove(Math.max(...pauses) - Math.min(...pauses), 10_000)
  })
})

describe("the marks of Outcome", () => {
  itEffect("leave errors alone that are not a session's", function* () {
    for (const error of [
      { _tag: "LockLost", maybeApplied: true },
      { _tag: "OutcomeUnknown", maybeApplied: true }
    ]) {
      assert.strictEqual(Outcome.markUnapplied(error), error)
      assert.isTrue(Outcome.mayBeApplied(error))
    }
    yield* Effect.void
  })
})

describe("a request that is attempted each minute", () => {
  itEffect("is done when the servers let it, and not before a minute has begun", function* () {
    const givenUp = new ConnectionLoss({ operation: "delete", path: "/a", maybeApplied: true, losses: 8 })
    const { asked, zk } = yield* makeScriptedClient((_, index) => (index < 2 ? Effect.fail(givenUp) : Effect.void))
    const deleting = yield* Effect.forkChild(Outcome.retryRarely(zk.delete("/a")), { startImmediately: true })
    yield* TestClock.adjust("40 seconds")
    assert.lengthOf(asked, 0)
    yield* TestClock.adjust("4 minutes")
    yield* Fiber.join(deleting)
    assert.lengthOf(asked, 3)
  })

  itEffect("says that it may have been applied, whatever ends it", function* () {
    const ends = [lost, new SessionClosed({ maybeApplied: false })]
    const { zk } = yield* makeScriptedClient((_, index) => Effect.fail(ends[index]))
    const error = yield* during("4 minutes", Effect.flip(Outcome.retryRarely(zk.set("/a", "x"))))
    assert.deepInclude({ ...error }, { _tag: "SessionClosed", maybeApplied: true })
  })
})

describe("what settles the fate of earlier writes", () => {
  itEffect("is a transaction that changes nothing, also where the check is refused", function* () {
    const { asked, zk } = yield* makeScriptedClient((_, index) =>
      Effect.succeed(index === 0 ? [{ operation: "check" }] : [{ operation: "error", error: -101 }])
    )
    yield* Outcome.settle(zk)
    yield* Outcome.settle(zk)
    assert.deepStrictEqual(
      asked.map(({ operation }) => operation),
      ["multi", "multi"]
    )
  })

  itEffect("changes nothing itself, and says so when its reply is lost", function* () {
    const { zk } = yield* makeScriptedClient(() => Effect.fail(lost))
    assert.isFalse(Outcome.mayBeApplied(yield* Effect.flip(Outcome.settle(zk))))
  })
})
