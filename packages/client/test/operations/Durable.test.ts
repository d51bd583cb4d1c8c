import { BadVersion, NoAuth, NodeExists, NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import { ConnectionLoss, RequestTimeout, ServerRefused, SessionExpired } from "@effect-zookeeper/session/SessionError"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { CreateError, SetDataError } from "../../src/Errors.ts"
import { Op } from "../../src/index.ts"
import * as Outcome from "../../src/Outcome.ts"
import { type Asked, makeScriptedClient, type Script, sessionId, stat } from "../support/scriptedClient.ts"
import { failure } from "../support/clients.ts"

const lost = (operation: string) => Effect.fail(new ConnectionLoss({ operation, path: "/a", maybeApplied: true }))
const unsent = (operation: string) => Effect.fail(new RequestTimeout({ operation, path: "/a", maybeApplied: false }))
const subject = { path: "/a", operation: "test" }
const bytes = (text: string) => new TextEncoder().encode(text)

/** Answers in turn. */
const inTurn =
  (...answers: ReadonlyArray<(asked: Asked) => ReturnType<Script>>): Script =>
  (asked, index) =>
    answers[index]?.(asked) ?? Effect.die(`no answer ${index} for ${asked.operation}`)

const synced = () => Effect.succeed({ path: "/" })
const there =
  (different: Partial<typeof stat> = {}) =>
  () =>
    Effect.succeed({ stat: { ...stat, ...different } })
const idOf = (path: string | undefined) => /_c_([0-9a-f-]{36})-/.exec(path ?? "")?.[1] ?? ""

describe("a protected create whose reply was lost", () => {
  const createdBy = (owner: bigint) => {
    let name = ""
    return {
      lose: ({ request }: Asked) => {
        name = `${request.path?.slice(1)}0000000003`
        return lost("create")
      },
      list: () => Effect.succeed({ children: ["_c_other-job-0000000002", name], stat }),
      look: () => Effect.succeed({ stat: { ...stat, ephemeralOwner: owner } })
    }
  }

  it.effect("finds its own znode, after a sync, and creates no other", () =>
    Effect.gen(function* () {
      const own = createdBy(sessionId)
      const { log, zk } = yield* makeScriptedClient(inTurn(own.lose, synced, own.list, own.look))
      const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: true })
      assert.match(path, /^\/_c_[0-9a-f-]{36}-job-0000000003$/)
      assert.deepStrictEqual(
        log().map((line) => line.split(" ")[0]),
        ["create", "sync", "getChildren", "exists"]
      )
    })
  )

  it.effect("creates with the same id when nothing was applied", () =>
    Effect.gen(function* () {
      const { asked, zk } = yield* makeScriptedClient(
        inTurn(
          () => lost("create"),
          synced,
          () => Effect.succeed({ children: [] }),
          ({ request }) => Effect.succeed({ path: request.path })
        )
      )
      const path = yield* zk.create("/a", { protected: true })
      assert.strictEqual(idOf(asked[0]?.request.path), idOf(path))
    })
  )

  it.effect("deletes the znode of its own older session, and creates with a new id", () =>
    Effect.gen(function* () {
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
  )

  it.effect("stays lost for a client that may not list the parent", () =>
    Effect.gen(function* () {
      const { zk } = yield* makeScriptedClient(
        inTurn(
          () => lost("create"),
          synced,
          () => Effect.fail(new NoAuth(subject))
        )
      )
      assert.isTrue((yield* failure(zk.create("/a", { protected: true }), "ConnectionLoss")).maybeApplied)
    })
  )

  it.effect("finds a znode with a given name", () =>
    Effect.gen(function* () {
      let name = ""
      const naming = (id: string, name: string) => `${name}${id.replaceAll("-", "")}__lock__`
      const { asked, zk } = yield* makeScriptedClient(
        inTurn(
          ({ request }) => {
            name = `${request.path?.slice(1)}0000000003`
            return lost("create")
          },
          synced,
          () => Effect.succeed({ children: ["job-other__lock__0000000002", name], stat }),
          () => Effect.succeed({ stat: { ...stat, ephemeralOwner: sessionId } })
        )
      )
      const path = yield* zk.create("/job-", { mode: "ephemeralSequential", protected: naming })
      assert.match(path, /^\/job-[0-9a-f]{32}__lock__0000000003$/)
      assert.deepStrictEqual(
        asked.map(({ operation }) => operation),
        ["create", "sync", "getChildren", "exists"]
      )
    })
  )

  it.effect("refuses an invalid name before a byte is sent", () =>
    Effect.gen(function* () {
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
  )

  it.effect("has the same ids for the same seed", () =>
    Effect.gen(function* () {
      const { zk } = yield* makeScriptedClient(({ request }) => Effect.succeed({ path: request.path }))
      const create = Random.withSeed(zk.create("/a", { protected: true }), "seed")
      assert.strictEqual(yield* create, yield* create)
    })
  )
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
        if (operation === "sync") return synced()
        if (operation === "getChildren") return Effect.succeed({ children: name === undefined ? [] : [name], stat })
        if (operation === "exists") return Effect.succeed({ stat: { ...stat, ephemeralOwner: owner } })
        if (operation !== "delete") return Effect.die(`no answer for ${operation}`)
        if (request.path !== `/${name}`) return Effect.fail(new NoNode(subject))
        name = undefined
        return Effect.void
      }
    }
  }

  it.effect("leaves nothing behind when it is interrupted", () =>
    Effect.gen(function* () {
      const server = created(({ operation }) => (operation === "create" ? Effect.never : undefined))
      const { log, zk } = yield* makeScriptedClient(server.answer)
      const fiber = yield* Effect.forkChild(zk.create("/job-", { mode: "ephemeralSequential", protected: true }), {
        startImmediately: true
      })
      assert.isTrue(server.isThere())
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.isFalse(server.isThere())
      assert.deepStrictEqual(
        log().map((line) => line.split(" ")[0]),
        ["create", "sync", "getChildren", "exists", "delete"]
      )
    })
  )

  it.effect("leaves nothing behind when the look for it is lost too, and says that it was lost", () =>
    Effect.gen(function* () {
      let syncs = 0
      const server = created(({ operation }) => {
        if (operation === "create") return lost("create")
        return operation === "sync" && ++syncs <= 3 ? lost("sync") : undefined
      })
      const { zk } = yield* makeScriptedClient(server.answer)
      const error = yield* failure(
        zk.create("/job-", { mode: "persistentSequential", protected: (id) => id }),
        "ConnectionLoss"
      )
      assert.strictEqual(error.operation, "create")
      assert.isTrue(error.maybeApplied)
      assert.isTrue(server.isThere())
      // In the background, for as long as it takes.
      yield* TestClock.adjust("1 minute")
      assert.isFalse(server.isThere())
      assert.strictEqual(syncs, 4)
    })
  )

  it.effect("looks for nothing when the server has refused it", () =>
    Effect.gen(function* () {
      const { log, zk } = yield* makeScriptedClient(() => Effect.fail(new NoAuth(subject)))
      yield* failure(zk.create("/job-", { mode: "ephemeralSequential", protected: true }), "NoAuth")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(log().length, 1)
    })
  )
})

describe("a session that has expired", () => {
  it.effect("is followed by another, or is not", () =>
    Effect.gen(function* () {
      const states: ReadonlyArray<readonly [SessionState, boolean]> = [
        [{ _tag: "Connecting" }, true],
        [{ _tag: "Expired" }, false]
      ]
      for (const [state, followed] of states) {
        const { zk } = yield* makeScriptedClient(() => Effect.void, { state })
        assert.strictEqual(yield* Outcome.isSessionReplaced(zk.session), followed)
      }
    })
  )

  it.effect("is looked at when it is known what follows", () =>
    Effect.gen(function* () {
      // A fiber that waited for a reply runs before the new session has begun.
      const info = { state: { _tag: "Expired" } as SessionState }
      const { zk } = yield* makeScriptedClient(() => Effect.void)
      const seen = yield* Effect.forkChild(
        Outcome.isSessionReplaced(
          new Proxy(zk.session, { get: (target, key) => Reflect.get(key === "state" ? info : target, key) })
        ),
        { startImmediately: true }
      )
      info.state = { _tag: "Connecting" }
      assert.isTrue(yield* Fiber.join(seen))
    })
  )
})

describe("a failure", () => {
  const expired = (maybeApplied: boolean) => new SessionExpired({ sessionId: 1n, maybeApplied })
  const refused = (code: number) => new ServerRefused({ operation: "setData", path: "/a", code, name: "X" })

  it.effect("says what to do next", () =>
    Effect.gen(function* () {
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
  )
})

describe("a write that is not asked to be durable", () => {
  it.effect("is not sent again", () =>
    Effect.gen(function* () {
      const { asked, zk } = yield* makeScriptedClient(({ operation }) => lost(operation))
      yield* failure(zk.create("/a"), "ConnectionLoss")
      yield* failure(zk.set("/a", ""), "ConnectionLoss")
      yield* failure(zk.delete("/a"), "ConnectionLoss")
      assert.strictEqual(asked.length, 3)
    })
  )
})

describe("an idempotent create whose reply was lost", () => {
  const there =
    (data: string, owner = 0n) =>
    () =>
      Effect.succeed({ data: bytes(data), stat: { ...stat, ephemeralOwner: owner } })

  it.effect("counts as done when the same znode is there", () =>
    Effect.gen(function* () {
      const { log, zk } = yield* makeScriptedClient(inTurn(() => lost("create"), synced, there("x")))
      assert.strictEqual(yield* zk.create("/a", { data: "x", idempotent: true }), "/a")
      assert.deepStrictEqual(log(), ["create /a", "sync /a", "getData /a"])
    })
  )

  it.effect("is sent again when nothing is there, and NodeExists is looked at then", () =>
    Effect.gen(function* () {
      const absent = () => Effect.fail(new NoNode(subject))
      const exists = () => Effect.fail(new NodeExists(subject))
      const { zk } = yield* makeScriptedClient(inTurn(() => lost("create"), synced, absent, exists, synced, there("x")))
      assert.strictEqual(yield* zk.create("/a", { data: "x", idempotent: true }), "/a")
    })
  )

  it.effect("fails with NodeExists when another client created it", () =>
    Effect.gen(function* () {
      const data = yield* makeScriptedClient(inTurn(() => lost("create"), synced, there("y")))
      yield* failure(data.zk.create("/a", { data: "x", idempotent: true }), "NodeExists")
      const owner = yield* makeScriptedClient(inTurn(() => lost("create"), synced, there("x", 8n)))
      yield* failure(owner.zk.create("/a", { data: "x", mode: "ephemeral", idempotent: true }), "NodeExists")
      const mine = yield* makeScriptedClient(inTurn(() => lost("create2"), synced, there("x", sessionId)))
      yield* mine.zk.createWithStat("/a", { data: "x", mode: "ephemeral", idempotent: true })
    })
  )

  it.effect("fails with NodeExists at once when nothing was lost", () =>
    Effect.gen(function* () {
      const { zk } = yield* makeScriptedClient(inTurn(() => Effect.fail(new NodeExists(subject))))
      yield* failure(zk.create("/a", { idempotent: true }), "NodeExists")
    })
  )
})

describe("an idempotent setData whose reply was lost", () => {
  const there = (data: string, version: number) => () =>
    Effect.succeed({ data: bytes(data), stat: { ...stat, version } })
  const set = (...answers: ReadonlyArray<() => ReturnType<Script>>) =>
    Effect.map(makeScriptedClient(inTurn(() => lost("setData"), synced, ...answers)), ({ asked, zk }) => ({
      asked,
      write: (version?: number) => zk.setData("/a", "x", { version, idempotent: true })
    }))

  it.effect("counts as done one version on with the same data", () =>
    Effect.gen(function* () {
      const { write } = yield* set(there("x", 4))
      assert.strictEqual((yield* write(3)).version, 4)
    })
  )

  it.effect("is sent again while the znode has the expected version", () =>
    Effect.gen(function* () {
      const { asked, write } = yield* set(there("old", 3), () => Effect.succeed({ stat: { ...stat, version: 4 } }))
      assert.strictEqual((yield* write(3)).version, 4)
      assert.strictEqual(asked.length, 4)
    })
  )

  it.effect("fails with BadVersion when another took the step, and stays lost when several were taken", () =>
    Effect.gen(function* () {
      yield* failure((yield* set(there("other", 4))).write(3), "BadVersion")
      yield* failure((yield* set(there("x", 5))).write(3), "ConnectionLoss")
      yield* failure((yield* set(() => Effect.fail(new NoNode(subject)))).write(3), "ConnectionLoss")
    })
  )

  it.effect("without a version compares the data", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* (yield* set(there("x", 9))).write()).version, 9)
      const again = yield* set(there("old", 9), () => Effect.succeed({ stat: { ...stat, version: 10 } }))
      assert.strictEqual((yield* again.write()).version, 10)
    })
  )

  it.effect("fails with BadVersion at once when nothing was lost", () =>
    Effect.gen(function* () {
      const { zk } = yield* makeScriptedClient(inTurn(() => Effect.fail(new BadVersion(subject))))
      yield* failure(zk.setData("/a", "x", { version: 3, idempotent: true }), "BadVersion")
    })
  )
})

describe("a delete whose reply was lost", () => {
  it.effect("is done when it is idempotent and the znode is gone", () =>
    Effect.gen(function* () {
      const { asked, zk } = yield* makeScriptedClient(
        inTurn(
          there(),
          () => lost("delete"),
          synced,
          () => Effect.fail(new NoNode(subject))
        )
      )
      const fiber = yield* Effect.forkChild(zk.delete("/a", { idempotent: true }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(asked.length, 4)
    })
  )

  it.effect("deletes a znode that is still there again, with the version of the look", () =>
    Effect.gen(function* () {
      const { asked, zk } = yield* makeScriptedClient(
        inTurn(
          there(),
          () => lost("delete"),
          synced,
          there({ version: 5 }),
          () => Effect.fail(new BadVersion(subject)),
          synced,
          there({ version: 6 }),
          () => Effect.void
        )
      )
      const fiber = yield* Effect.forkChild(zk.delete("/a", { idempotent: true }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        asked.flatMap(({ operation, request }) => (operation === "delete" ? [request.version] : [])),
        [stat.version, 5, 6]
      )
    })
  )

  for (const options of [{ idempotent: true }, { guaranteed: true }, { guaranteed: true, version: 0 }]) {
    it.effect(
      `leaves a znode that another client has created at the path since (${Object.keys(options).join(" and ")})`,
      () =>
        Effect.gen(function* () {
          const { asked, zk } = yield* makeScriptedClient(
            inTurn(there(), () => lost("delete"), synced, there({ czxid: stat.czxid + 1n }))
          )
          const fiber = yield* Effect.forkChild(zk.delete("/a", options))
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(fiber)
          assert.strictEqual(asked.length, 4)
        })
    )
  }

  it.effect("goes on past its caller's interruption when it is guaranteed", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const throttled = new ServerRefused({ operation: "delete", path: "/a", code: -127, name: "ThrottledOp" })
      const { asked, zk } = yield* makeScriptedClient(
        inTurn(
          there(),
          () => lost("delete"),
          synced,
          there(),
          () => Effect.fail(throttled),
          synced,
          there(),
          () => Effect.asVoid(Deferred.succeed(done, undefined))
        )
      )
      const fiber = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(asked.length, 2)
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.await(done)
      assert.strictEqual(asked.length, 8)
    })
  )

  it.effect("ends with SessionClosed when the session ends first", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const errand = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkIn(effect, scope, { startImmediately: true })
      const { zk } = yield* makeScriptedClient(({ operation }) => lost(operation), { session: { errand } })
      const fiber = yield* Effect.forkChild(zk.delete("/a", { guaranteed: true }), { startImmediately: true })
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      yield* failure(Fiber.join(fiber), "SessionClosed")
      yield* failure(zk.delete("/a", { guaranteed: true }), "SessionClosed")
    })
  )
})

describe("a write that was never sent", () => {
  const gone = () => Effect.fail(new NoNode(subject))

  it.effect("fails as such when it is durable, and does not take another's znode for its own", () =>
    Effect.gen(function* () {
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
      assert.deepStrictEqual(
        log().map((line) => line.split(" ")[0]),
        ["create", "create", "setData"]
      )
    })
  )

  it.effect("fails with NoNode when it is a delete that finds nothing then", () =>
    Effect.gen(function* () {
      for (const options of [{ idempotent: true }, { guaranteed: true }]) {
        const { asked, zk } = yield* makeScriptedClient(inTurn(there(), () => unsent("delete"), gone, synced, gone))
        const fiber = yield* Effect.forkChild(zk.delete("/a", options))
        yield* TestClock.adjust("1 second")
        yield* failure(Fiber.join(fiber), "NoNode")
        assert.strictEqual(asked.length, 5)
      }
    })
  )

  it.effect("again stays lost, for the first time it was sent", () =>
    Effect.gen(function* () {
      const create = yield* makeScriptedClient(
        inTurn(
          () => lost("create"),
          synced,
          gone,
          () => unsent("create")
        )
      )
      assert.isTrue((yield* failure(create.zk.create("/a", { idempotent: true }), "ConnectionLoss")).maybeApplied)
      const other = () => Effect.succeed({ data: bytes("other"), stat })
      const set = yield* makeScriptedClient(
        inTurn(
          () => lost("setData"),
          synced,
          other,
          () => unsent("setData")
        )
      )
      assert.isTrue((yield* failure(set.zk.setData("/a", "x", { idempotent: true }), "ConnectionLoss")).maybeApplied)
    })
  )
})

describe("a server that does not know an operation", () => {
  const unimplemented = ({ operation, request }: Asked) =>
    Effect.fail(new ServerRefused({ operation, path: request.path ?? "", code: -6, name: "Unimplemented" }))
  const created = ({ request }: Asked) => Effect.succeed({ path: request.path })

  it.effect("gives the Stat of a create by a look after it", () =>
    Effect.gen(function* () {
      const { log, zk } = yield* makeScriptedClient(inTurn(unimplemented, created, () => Effect.succeed({ stat })))
      assert.deepStrictEqual(yield* zk.createWithStat("/a"), { path: "/a", stat })
      assert.deepStrictEqual(log(), ["create2 /a", "create /a", "exists /a"])
    })
  )

  it.effect("fails as a create that may have been applied when the look after it is lost", () =>
    Effect.gen(function* () {
      const timed = yield* makeScriptedClient(inTurn(unimplemented, created, () => unsent("exists")))
      const timeout = yield* failure(timed.zk.createWithStat("/a"), "RequestTimeout")
      assert.deepStrictEqual([timeout.operation, timeout.path, timeout.maybeApplied], ["create", "/a", true])
      const unread = new ConnectionLoss({ operation: "exists", path: "/a", maybeApplied: false })
      const cut = yield* makeScriptedClient(inTurn(unimplemented, created, () => Effect.fail(unread)))
      const loss = yield* failure(cut.zk.createWithStat("/a"), "ConnectionLoss")
      assert.deepStrictEqual([loss.operation, loss.path, loss.maybeApplied], ["create", "/a", true])
      // So that an idempotent create can resolve it.
      const there = () => Effect.succeed({ data: new Uint8Array(0), stat })
      const again = yield* makeScriptedClient(inTurn(unimplemented, created, () => unsent("exists"), synced, there))
      assert.deepStrictEqual(yield* again.zk.createWithStat("/a", { idempotent: true }), { path: "/a", stat })
    })
  )

  it.effect("is not asked to create again a znode that another client deleted before the look", () =>
    Effect.gen(function* () {
      const gone = () => Effect.fail(new NoNode({ path: "/a", operation: "exists" }))
      const plain = yield* makeScriptedClient(inTurn(unimplemented, created, gone))
      assert.strictEqual((yield* failure(plain.zk.createWithStat("/a"), "NoNode")).operation, "exists")
      const absent = () => Effect.fail(new NoNode({ path: "/a", operation: "setData" }))
      const { log, zk } = yield* makeScriptedClient(inTurn(absent, unimplemented, created, gone))
      assert.strictEqual((yield* failure(zk.createOrSet("/a", "x"), "NoNode")).operation, "exists")
      assert.deepStrictEqual(log(), ["setData /a", "create2 /a", "create /a", "exists /a"])
    })
  )

  it.effect("makes persistent parents where it has no containers, and refuses a container that was asked for", () =>
    Effect.gen(function* () {
      const absent = () => Effect.fail(new NoNode(subject))
      const { log, zk } = yield* makeScriptedClient(inTurn(absent, unimplemented, created))
      yield* zk.ensurePath("/a")
      assert.deepStrictEqual(log(), ["exists /a", "createContainer /a", "create /a"])
      const plain = yield* makeScriptedClient(unimplemented)
      assert.strictEqual((yield* failure(plain.zk.create("/a", { mode: "container" }), "ServerRefused")).code, -6)
    })
  )

  it.effect("is read from one by one", () =>
    Effect.gen(function* () {
      const { log, zk } = yield* makeScriptedClient(
        inTurn(
          unimplemented,
          () => Effect.succeed({ data: bytes("x"), stat }),
          () => Effect.fail(new NoNode(subject))
        )
      )
      const [data, children] = yield* zk.read([Op.get("/a"), Op.getChildren("/b")])
      assert.deepStrictEqual(Result.isSuccess(data) ? data.success.data : undefined, bytes("x"))
      assert.strictEqual(Result.isFailure(children) ? children.failure._tag : undefined, "NoNode")
      assert.deepStrictEqual(log(), ["multiRead", "getData /a", "getChildren2 /b"])
    })
  )
})

describe("parents that are reaped between a look and a create", () => {
  it.effect("are created again", () =>
    Effect.gen(function* () {
      let reaped = 0
      const { zk } = yield* makeScriptedClient(({ operation, request }) => {
        if (operation === "exists") return Effect.fail(new NoNode(subject))
        if (request.path === "/a/b" && reaped++ < 3) return Effect.fail(new NoNode(subject))
        return Effect.succeed({ path: request.path })
      })
      assert.strictEqual(yield* zk.createWithParents("/a/b"), "/a/b")
      assert.strictEqual(reaped, 4)
    })
  )

  it.effect("fail with NoNode when that never ends", () =>
    Effect.gen(function* () {
      const { zk } = yield* makeScriptedClient(() => Effect.fail(new NoNode(subject)))
      yield* failure(zk.createWithParents("/a/b"), "NoNode")
    })
  )
})
