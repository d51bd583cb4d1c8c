import { BadVersion, NodeExists, NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import { ServerRefused, SessionExpired } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { during } from "@effect-zookeeper/test-kit/Expectations"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { CreateError, SetDataError } from "../../src/Errors.ts"
import * as Outcome from "../../src/Outcome.ts"
import { makeScriptedClient, type Script, sessionId, stat } from "../support/scriptedClient.ts"
import { failure, now, assertEach } from "../support/clients.ts"
import {
  bytes,
  fails,
  gives,
  inTurn,
  loses,
  lost,
  neverSends,
  subject,
  synced,
  there,
  unsent
} from "../support/answers.ts"

describe("a session that has expired", () => {
  itEffect("is followed by another, or is not", function* () {
    const states: ReadonlyArray<readonly [SessionState, boolean]> = [
      [{ _tag: "Connecting" }, true],
      [{ _tag: "Expired" }, false]
    ]
    for (const [state, followed] of states) {
      const { zk } = yield* makeScriptedClient(() => Effect.void, { state })
      assert.strictEqual(yield* Outcome.isSessionReplaced(zk.session), followed)
    }
  })

  itEffect("is looked at when it is known what follows", function* () {
    // A fiber that waited for a reply runs before the new session has begun.
    const info = { state: { _tag: "Expired" } as SessionState }
    const { zk } = yield* makeScriptedClient(() => Effect.void)
    const seen = yield* Effect.forkChild(
      Outcome.isSessionReplaced(
        new Proxy(zk.session, { get: (target, key) => Reflect.get(key === "state" ? info : target, key) })
      ),
      now
    )
    info.state = { _tag: "Connecting" }
    assert.isTrue(yield* Fiber.join(seen))
  })
})

describe("a failure", () => {
  const expired = (maybeApplied: boolean) => new SessionExpired({ sessionId: 1n, maybeApplied })
  const refused = (code: number) => new ServerRefused({ operation: "setData", path: "/a", code, name: "X" })

  itEffect("says what to do next", function* () {
    const renewed = (yield* makeScriptedClient(() => Effect.void, { state: { _tag: "Connecting" } })).zk.session
    const ended = (yield* makeScriptedClient(() => Effect.void, { state: { _tag: "Expired" } })).zk.session
    const cases = [
      [renewed, expired(true), "lost"],
      [renewed, expired(false), "renewed"],
      [ended, expired(false), "final"],
      // NotReadOnly, and an operation that the server does not know.
      [renewed, refused(-119), "transient"],
      [renewed, refused(-6), "final"],
      [renewed, new NoNode({ path: "/a", operation: "setData" }), "final"]
    ] as const
    for (const [session, error, next] of cases) {
      assert.strictEqual(yield* Outcome.classifyFailure(session, error), next)
    }
  })
})

describe("a write that is not asked to be durable", () => {
  itEffect("is not sent again", function* () {
    const { asked, zk } = yield* makeScriptedClient(({ operation }) => lost(operation))
    yield* failure(zk.create("/a"), "ConnectionLoss")
    yield* failure(zk.set("/a", ""), "ConnectionLoss")
    yield* failure(zk.delete("/a"), "ConnectionLoss")
    assert.strictEqual(asked.length, 3)
  })
})

describe("an idempotent create whose reply was lost", () => {
  const there =
    (data: string, owner = 0n) =>
    () =>
      Effect.succeed({ data: bytes(data), stat: { ...stat, ephemeralOwner: owner } })

  itEffect("counts as done when the same znode is there", function* () {
    const { log, zk } = yield* makeScriptedClient(inTurn(loses("create"), synced, there("x")))
    assert.strictEqual(yield* zk.create("/a", { data: "x", idempotent: true }), "/a")
    assert.deepStrictEqual(log(), ["create /a", "multi", "getData /a"])
  })

  itEffect("is sent again when nothing is there, and NodeExists is looked at then", function* () {
    const absent = fails(new NoNode(subject))
    const exists = fails(new NodeExists(subject))
    const { zk } = yield* makeScriptedClient(inTurn(loses("create"), synced, absent, exists, synced, there("x")))
    assert.strictEqual(yield* zk.create("/a", { data: "x", idempotent: true }), "/a")
  })

  itEffect("fails with NodeExists when another client created it", function* () {
    const data = yield* makeScriptedClient(inTurn(loses("create"), synced, there("y")))
    yield* failure(data.zk.create("/a", { data: "x", idempotent: true }), "NodeExists")
    const owner = yield* makeScriptedClient(inTurn(loses("create"), synced, there("x", 8n)))
    yield* failure(owner.zk.create("/a", { data: "x", mode: "ephemeral", idempotent: true }), "NodeExists")
    const mine = yield* makeScriptedClient(inTurn(loses("create2"), synced, there("x", sessionId)))
    yield* mine.zk.createWithStat("/a", { data: "x", mode: "ephemeral", idempotent: true })
  })

  itEffect("fails with NodeExists at once when nothing was lost", function* () {
    const { zk } = yield* makeScriptedClient(inTurn(fails(new NodeExists(subject))))
    yield* failure(zk.create("/a", { idempotent: true }), "NodeExists")
  })
})

describe("an idempotent setData whose reply was lost", () => {
  const there = (data: string, version: number) => () =>
    Effect.succeed({ data: bytes(data), stat: { ...stat, version } })
  const set = (...answers: ReadonlyArray<() => ReturnType<Script>>) =>
    Effect.map(makeScriptedClient(inTurn(loses("setData"), synced, ...answers)), ({ asked, zk }) => ({
      asked,
      write: (version?: number) => zk.setData("/a", "x", { version, idempotent: true })
    }))

  itEffect("counts as done one version on with the same data", function* () {
    const { write } = yield* set(there("x", 4))
    assert.strictEqual((yield* write(3)).version, 4)
  })

  itEffect("is sent again while the znode has the expected version", function* () {
    const { asked, write } = yield* set(there("old", 3), gives({ stat: { ...stat, version: 4 } }))
    assert.strictEqual((yield* write(3)).version, 4)
    assert.strictEqual(asked.length, 4)
  })

  itEffect("fails with BadVersion when another took the step, and stays lost when several were taken", function* () {
    yield* failure((yield* set(there("other", 4))).write(3), "BadVersion")
    yield* failure((yield* set(there("x", 5))).write(3), "ConnectionLoss")
    yield* failure((yield* set(fails(new NoNode(subject)))).write(3), "ConnectionLoss")
  })

  itEffect("without a version compares the data", function* () {
    assert.strictEqual((yield* (yield* set(there("x", 9))).write()).version, 9)
    const again = yield* set(there("old", 9), gives({ stat: { ...stat, version: 10 } }))
    assert.strictEqual((yield* again.write()).version, 10)
  })

  itEffect("fails with BadVersion at once when nothing was lost", function* () {
    const { zk } = yield* makeScriptedClient(inTurn(fails(new BadVersion(subject))))
    yield* failure(zk.setData("/a", "x", { version: 3, idempotent: true }), "BadVersion")
  })
})

describe("a delete whose reply was lost", () => {
  itEffect("is done when it is idempotent and the znode is gone", function* () {
    const { asked, zk } = yield* makeScriptedClient(
      inTurn(there(), loses("delete"), synced, fails(new NoNode(subject)))
    )
    yield* during("1 second", zk.delete("/a", { idempotent: true }))
    assert.strictEqual(asked.length, 4)
  })

  itEffect("deletes a znode that is still there again, with the version of the look", function* () {
    const { asked, zk } = yield* makeScriptedClient(
      inTurn(
        there(),
        loses("delete"),
        synced,
        there({ version: 5 }),
        fails(new BadVersion(subject)),
        synced,
        there({ version: 6 }),
        () => Effect.void
      )
    )
    yield* during("1 second", zk.delete("/a", { idempotent: true }))
    assert.deepStrictEqual(
      asked.flatMap(({ operation, request }) => (operation === "delete" ? [request.version] : [])),
      [stat.version, 5, 6]
    )
  })

  for (const options of [{ idempotent: true }, { guaranteed: true }, { guaranteed: true, version: 0 }]) {
    itEffect(
      `leaves a znode that another client has created at the path since (${Object.keys(options).join(" and ")})`,
      function* () {
        const { asked, zk } = yield* makeScriptedClient(
          inTurn(there(), loses("delete"), synced, there({ czxid: stat.czxid + 1n }))
        )
        const fiber = yield* Effect.forkChild(zk.delete("/a", options))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.strictEqual(asked.length, 4)
      }
    )
  }

  itEffect("goes on past its caller's interruption when it is guaranteed", function* () {
    const done = yield* Deferred.make<void>()
    const throttled = new ServerRefused({ operation: "delete", path: "/a", code: -127, name: "ThrottledOp" })
    const { asked, zk } = yield* makeScriptedClient(
      inTurn(there(), loses("delete"), synced, there(), fails(throttled), synced, there(), () =>
        Effect.asVoid(Deferred.succeed(done, undefined))
      )
    )
    const fiber = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), now)
    yield* Fiber.interrupt(fiber)
    assert.strictEqual(asked.length, 2)
    yield* TestClock.adjust("10 seconds")
    yield* Deferred.await(done)
    assert.strictEqual(asked.length, 8)
  })

  itEffect("ends with SessionClosed when the session ends first", function* () {
    const scope = yield* Scope.make()
    const errand = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkIn(effect, scope, now)
    const { zk } = yield* makeScriptedClient(({ operation }) => lost(operation), { session: { errand } })
    const fiber = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), now)
    yield* Scope.close(scope, yield* Effect.exit(Effect.void))
    yield* failure(Fiber.join(fiber), "SessionClosed")
    yield* failure(zk.delete("/a", { guaranteed: true }), "SessionClosed")
  })
})

describe("a write that was never sent", () => {
  const gone = fails(new NoNode(subject))

  itEffect("fails as such when it is durable, and does not take another's znode for its own", function* () {
    const { log, zk } = yield* makeScriptedClient(({ operation }) => unsent(operation))
    const writes: ReadonlyArray<Effect.Effect<unknown, CreateError | SetDataError>> = [
      zk.create("/a", { idempotent: true }),
      zk.create("/a", { protected: true }),
      zk.setData("/a", "x", { idempotent: true })
    ]
    for (const write of writes) {
      const error = yield* Effect.flip(write)
      assert.isTrue(error._tag === "RequestTimeout" && !error.maybeApplied)
    }
    assertEach(log(), (line) => line.split(" ")[0], ["create", "create", "setData"])
  })

  itEffect("fails with NoNode when it is a delete that finds nothing then", function* () {
    for (const options of [{ idempotent: true }, { guaranteed: true }]) {
      const { asked, zk } = yield* makeScriptedClient(inTurn(there(), neverSends("delete"), gone, synced, gone))
      yield* failure(during("1 second", zk.delete("/a", options)), "NoNode")
      assert.strictEqual(asked.length, 5)
    }
  })

  itEffect("again stays lost, for the first time it was sent", function* () {
    const create = yield* makeScriptedClient(inTurn(loses("create"), synced, gone, neverSends("create")))
    assert.isTrue((yield* failure(create.zk.create("/a", { idempotent: true }), "ConnectionLoss")).maybeApplied)
    const other = gives({ data: bytes("other"), stat })
    const set = yield* makeScriptedClient(inTurn(loses("setData"), synced, other, neverSends("setData")))
    assert.isTrue((yield* failure(set.zk.setData("/a", "x", { idempotent: true }), "ConnectionLoss")).maybeApplied)
  })
})
