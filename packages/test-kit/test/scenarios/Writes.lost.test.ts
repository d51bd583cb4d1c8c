/** Writes whose reply is lost, and their fate when their session ends, or no server accepts them. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import type * as Errors from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Session from "@effect-zookeeper/session/Session"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { assert, describe, it } from "@effect/vitest"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { clientOf } from "../../src/conformance/Target.ts"
import { now } from "../../src/Expectations.ts"

const client = (options: Session.SessionOptions = {}) =>
  clientOf(Layer.provide(ZooKeeper.layerSession(), Session.layer({ sessionTimeout: "4 seconds", ...options })))

/** The outcome of a write that is applied, whose reply is lost, and whose session ends before any client could look. */
const lostAndExpired = Effect.fnUntraced(function* <A, E>(
  zk: ZooKeeper.Service,
  operation: string,
  write: Effect.Effect<A, E>,
  isApplied: Effect.Effect<boolean, unknown>
) {
  const server = yield* EmbeddedServer.EmbeddedServer
  const { id } = zk.session
  yield* server.dropReply({ operation, session: id })
  const fiber = yield* Effect.forkChild(Effect.result(write), now)
  while (!(yield* Effect.orDie(isApplied))) yield* Effect.yieldNow
  yield* server.expireSession(id)
  return yield* Fiber.join(fiber)
})

const itInMemory = testOn(it.live, EmbeddedServer.layerMemory, Effect.void)

describe("a write whose reply is lost and whose session ends before the look", () => {
  itInMemory("says that it may have been applied when it is idempotent", function* () {
    const [zk, beside] = [yield* client(), yield* client()]
    yield* zk.create("/n", { data: "0" })
    const writes = [
      [
        "setData",
        zk.setData("/n", "1", { idempotent: true }),
        Effect.map(beside.get("/n"), (n) => n.stat.version === 1)
      ],
      ["create", zk.create("/new", { idempotent: true }), beside.exists("/new")]
    ] as const
    for (const [operation, write, isApplied] of writes) {
      const told = yield* lostAndExpired<unknown, Errors.CreateError | Errors.SetDataError>(
        zk,
        operation,
        write,
        isApplied
      )
      if (Result.isSuccess(told)) return assert.fail(`${operation} was told as done`)
      assert.deepInclude({ ...told.failure }, { _tag: "SessionExpired", maybeApplied: true }, operation)
      assert.isTrue(Outcome.mayBeApplied(told.failure))
      yield* beside.sync("/")
      // Asked in the next session.
      yield* zk.exists("/")
    }
  })

  for (const mode of ["persistentSequential", "persistent"] as const) {
    itInMemory(`is found in the next session when it is a protected create of a ${mode} znode`, function* () {
      const [zk, beside] = [yield* client(), yield* client()]
      yield* zk.create("/queue")
      const children = beside.getChildren("/queue")
      const create = zk.create("/queue/item-", { mode, data: "x", protected: true })
      const isApplied = Effect.map(children, ({ length }) => length === 1)
      const told = yield* lostAndExpired(zk, "create", create, isApplied)
      if (Result.isFailure(told)) return assert.fail(told.failure.message)
      assert.deepStrictEqual(yield* children, [told.success.slice("/queue/".length)])
    })
  }

  itInMemory("says so when it is a protected create, and no session follows", function* () {
    const [zk, beside] = [yield* client({ sessionExpiry: "fail" }), yield* client()]
    const create = zk.create("/item-", { mode: "persistentSequential", protected: true })
    const isApplied = Effect.map(beside.getChildren("/"), (names) => names.some((name) => name.includes("item-")))
    const told = yield* lostAndExpired(zk, "create", create, isApplied)
    if (Result.isSuccess(told)) return assert.fail("no server can have told it")
    assert.deepInclude({ ...told.failure }, { _tag: "SessionExpired", maybeApplied: true })
  })

  itInMemory("says so when it is a guaranteed delete, and no session follows", function* () {
    const [zk, beside] = [yield* client({ sessionExpiry: "fail" }), yield* client()]
    yield* zk.create("/n")
    const isApplied = Effect.map(beside.exists("/n"), (there) => !there)
    const told = yield* lostAndExpired(zk, "delete", zk.delete("/n", { guaranteed: true }), isApplied)
    if (Result.isSuccess(told)) return assert.fail("no server can have told it")
    assert.deepInclude({ ...told.failure }, { _tag: "SessionExpired", maybeApplied: true })
  })
})

describe("a request that is larger than the server takes", () => {
  const itSmall = testOn(it.live, EmbeddedServer.layer({ maxFrameSize: 20_000 }), EmbeddedServer.EmbeddedServer)
  const big = "x".repeat(30_000)

  const writes: ReadonlyArray<
    readonly [string, (zk: ZooKeeper.Service) => Effect.Effect<unknown, { readonly _tag: string }>]
  > = [
    ["an idempotent create", (zk) => zk.create("/a", { data: big, idempotent: true })],
    ["a protected create", (zk) => zk.create("/a-", { data: big, mode: "persistentSequential", protected: true })],
    ["an idempotent setData", (zk) => zk.setData("/n", big, { idempotent: true })]
  ]
  for (const [name, write] of writes) {
    itSmall(`is given up after eight lost connections, with its limit named: ${name}`, function* ({ connectString }) {
      const zk = yield* clientOf(ZooKeeper.layer({ servers: connectString }))
      yield* zk.create("/n")
      const { id } = zk.session
      const told = yield* Effect.flip(write(zk))
      if (!(told instanceof ConnectionLoss)) return assert.fail(told._tag)
      assert.strictEqual(told.losses, MAX_LOSSES)
      assert.include(told.message, "jute.maxbuffer")
      assert.isFalse(Outcome.isTransient(told))
      // Others go on, in the same session.
      assert.isTrue(yield* zk.exists("/n"))
      assert.strictEqual(zk.session.id, id)
    })
  }
})

describe("a durable delete that the server drops", () => {
  const faults: ReadonlyArray<
    readonly [string, boolean, (server: EmbeddedServer.EmbeddedServer["Service"]) => Effect.Effect<void>]
  > = [
    ["the delete", true, (server) => server.dropRequest({ operation: "delete" }, 100)],
    ["the look before it", false, (server) => server.dropRequest({ operation: "exists" }, 100)],
    [
      "the look after a delete that was applied",
      true,
      (server) =>
        Effect.andThen(server.dropReply({ operation: "delete" }), server.dropRequest({ operation: "multi" }, 100))
    ]
  ]
  for (const option of ["idempotent", "guaranteed"] as const) {
    for (const [what, maybeApplied, fault] of faults) {
      itInMemory(`is given up after eight lost connections when it is ${option}: ${what}`, function* () {
        const zk = yield* client()
        yield* zk.create("/n")
        yield* fault(yield* EmbeddedServer.EmbeddedServer)
        const told = yield* Effect.flip(zk.delete("/n", { [option]: true }))
        if (!(told instanceof ConnectionLoss)) return assert.fail(told._tag)
        assert.deepInclude({ ...told }, { path: "/n", maybeApplied })
        assert.isTrue(Outcome.isGivenUp(told), told.message)
        // Others go on.
        yield* zk.getChildren("/")
      })
    }
  }
})
