import { NoAuth, NoNode } from "@effect-zookeeper/protocol/ServerError"
import { ConnectionLoss, MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { TestClock } from "effect/testing"
import { type Asked, makeScriptedClient, type Script, sessionId, stat } from "../support/scriptedClient.ts"
import { failure, now, assertEach } from "../support/clients.ts"
import { fails, gives, inTurn, loses, lost, subject, synced } from "../support/answers.ts"

const idOf = (path: string | undefined) => /_c_([0-9a-f-]{36})-/.exec(path ?? "")?.[1] ?? ""

describe("a protected create whose reply was lost", () => {
  const createdBy = (owner: bigint, other = "_c_other-job-0000000002") => {
    let name = ""
    return {
      lose: ({ request }: Asked) => {
        name = `${request.path?.slice(1)}0000000003`
        return lost("create")
      },
      list: () => Effect.succeed({ children: [other, name], stat }),
      look: gives({ stat: { ...stat, ephemeralOwner: owner } })
    }
  }

  itEffect("finds its own znode, after a transaction that a quorum commits, and creates no other", function* () {
    const own = createdBy(sessionId)
    const { log, zk } = yield* makeScriptedClient(inTurn(own.lose, synced, own.list, own.look))
    const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: true })
    assert.match(path, /^\/_c_[0-9a-f-]{36}-job-0000000003$/)
    assertEach(log(), (line) => line.split(" ")[0], ["create", "multi", "getChildren", "exists"])
  })

  itEffect("creates with the same id when nothing was applied", function* () {
    const { asked, zk } = yield* makeScriptedClient(
      inTurn(loses("create"), synced, gives({ children: [] }), ({ request }) => Effect.succeed({ path: request.path }))
    )
    const path = yield* zk.create("/a", { protected: true })
    assert.strictEqual(idOf(asked[0]?.request.path), idOf(path))
  })

  itEffect("deletes the znode of its own older session, and creates with a new id", function* () {
    const foreign = createdBy(sessionId - 1n)
    const script = inTurn(foreign.lose, synced, foreign.list, foreign.look)
    const { asked, zk } = yield* makeScriptedClient((entry, index) =>
      index < 4
        ? script(entry, index)
        : Effect.succeed(entry.operation === "delete" ? undefined : { path: `${entry.request.path}0000000004` })
    )
    const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: true })
    const first = idOf(asked[0]?.request.path)
    assert.notStrictEqual(idOf(path), first)
    const deleted = asked.find(({ operation }) => operation === "delete")
    assert.strictEqual(idOf(deleted?.request.path), first)
    assert.match(deleted?.request.path ?? "", /0000000003$/)
  })

  itEffect("stays lost for a client that may not list the parent", function* () {
    const { zk } = yield* makeScriptedClient(inTurn(loses("create"), synced, fails(new NoAuth(subject))))
    assert.isTrue((yield* failure(zk.create("/a", { protected: true }), "ConnectionLoss")).maybeApplied)
  })

  itEffect("finds a znode with a given name", function* () {
    const naming = (id: string, name: string) => `${name}${id.replaceAll("-", "")}__lock__`
    const own = createdBy(sessionId, "job-other__lock__0000000002")
    const { asked, zk } = yield* makeScriptedClient(inTurn(own.lose, synced, own.list, own.look))
    const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: naming })
    assert.match(path, /^\/job-[0-9a-f]{32}__lock__0000000003$/)
    assertEach(asked, ({ operation }) => operation, ["create", "multi", "getChildren", "exists"])
  })

  itEffect("refuses an invalid name before a byte is sent", function* () {
    const { asked, zk } = yield* makeScriptedClient(() => Effect.die("nothing is to be asked"))
    for (const name of ["a/b", "", "..", "a\u0000"]) {
      const error = yield* failure(zk.create("/job", { protected: () => name }), "InvalidArgument")
      assert.strictEqual(error.argument, "protected")
      assert.strictEqual(error.value, name)
    }
    // The number comes behind it.
    yield* failure(
      zk.createWithStat("/job", { mode: "persistentSequential", protected: () => "a/b" }),
      "InvalidArgument"
    )
    assert.strictEqual(asked.length, 0)
  })

  itEffect("has the same ids for the same seed", function* () {
    const { zk } = yield* makeScriptedClient(({ request }) => Effect.succeed({ path: request.path }))
    const create = Random.withSeed(zk.create("/a", { protected: true }), "seed")
    assert.strictEqual(yield* create, yield* create)
  })
})

describe("a protected create that does not learn what it created", () => {
  /** A server that has created it, and does as the script says until it is told to behave. */
  const created = (script: (asked: Asked) => ReturnType<Script> | undefined, owner = sessionId) => {
    let name: string | undefined
    return {
      isThere: () => name !== undefined,
      answer: (asked: Asked): ReturnType<Script> => {
        const { operation, request } = asked
        if (operation === "create") name = `${request.path?.slice(1)}0000000003`
        const other = script(asked)
        if (other !== undefined) return other
        if (operation === "multi") return synced()
        if (operation === "getChildren") return Effect.succeed({ children: name === undefined ? [] : [name], stat })
        if (operation === "exists") return Effect.succeed({ stat: { ...stat, ephemeralOwner: owner } })
        if (operation !== "delete") return Effect.die(`no answer for ${operation}`)
        if (request.path !== `/${name}`) return Effect.fail(new NoNode(subject))
        name = undefined
        return Effect.void
      }
    }
  }

  itEffect("leaves nothing behind when it is interrupted", function* () {
    const server = created(({ operation }) => (operation === "create" ? Effect.never : undefined))
    const { log, zk } = yield* makeScriptedClient(server.answer)
    const fiber = yield* Effect.forkChild(zk.create("/job-", { mode: "ephemeralSequential", protected: true }), now)
    assert.isTrue(server.isThere())
    yield* Fiber.interrupt(fiber)
    yield* TestClock.adjust("1 minute")
    assert.isFalse(server.isThere())
    assertEach(log(), (line) => line.split(" ")[0], ["create", "multi", "getChildren", "exists", "delete"])
  })

  itEffect("goes on when the look for it is lost too", function* () {
    let looks = 0
    const server = created(({ operation }) => {
      if (operation === "create") return lost("create")
      return operation === "multi" && ++looks <= 3 ? lost("multi") : undefined
    })
    const { zk } = yield* makeScriptedClient(server.answer)
    const creating = yield* Effect.forkChild(
      zk.create("/job-", { mode: "persistentSequential", protected: (id) => id }),
      now
    )
    yield* TestClock.adjust("5 seconds")
    assert.match(yield* Fiber.join(creating), /0000000003$/)
    assert.isTrue(server.isThere())
    assert.strictEqual(looks, 4)
  })

  itEffect("leaves nothing behind when the look for it is given up, and says that it was lost", function* () {
    let looks = 0
    const server = created(({ operation }) => {
      if (operation === "create") return lost("create")
      if (operation !== "multi" || looks === MAX_LOSSES) return undefined
      looks++
      return Effect.fail(new ConnectionLoss({ operation, path: "/job-", maybeApplied: true, losses: 1 }))
    })
    const { zk } = yield* makeScriptedClient(server.answer)
    const creating = yield* Effect.forkChild(
      failure(zk.create("/job-", { mode: "persistentSequential", protected: (id) => id }), "ConnectionLoss"),
      now
    )
    yield* TestClock.adjust("1 minute")
    const error = yield* Fiber.join(creating)
    assert.strictEqual(error.operation, "create")
    assert.isTrue(error.maybeApplied)
    // In the background.
    assert.isFalse(server.isThere())
  })

  for (const given of ["getChildren", "delete"]) {
    itEffect(`leaves nothing behind for long when its ${given} is given up at first`, function* () {
      let losses = 0
      const server = created(({ operation }) => {
        if (operation === "create") return Effect.never
        if (operation !== given || losses === MAX_LOSSES) return undefined
        losses++
        return Effect.fail(new ConnectionLoss({ operation, path: "/job-", maybeApplied: true, losses: 1 }))
      })
      const { zk } = yield* makeScriptedClient(server.answer)
      const fiber = yield* Effect.forkChild(zk.create("/job-", { mode: "ephemeralSequential", protected: true }), now)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(losses, MAX_LOSSES)
      assert.isTrue(server.isThere())
      yield* TestClock.adjust("40 seconds")
      assert.isFalse(server.isThere())
    })
  }

  itEffect("looks for nothing when the server has refused it", function* () {
    const { log, zk } = yield* makeScriptedClient(fails(new NoAuth(subject)))
    yield* failure(zk.create("/job-", { mode: "ephemeralSequential", protected: true }), "NoAuth")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(log().length, 1)
  })
})
