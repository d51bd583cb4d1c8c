/** Writes of recipes that are applied, and whose reply and session are lost: the error says that they may have been. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import { ConnectionLoss, SessionClosed } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Allocator from "../../src/Allocator.ts"
import * as Barrier from "../../src/Barrier.ts"
import { LockLost } from "../../src/Errors.ts"
import * as Lock from "../../src/Lock.ts"
import * as Queue from "../../src/Queue.ts"
import { connectAnother, itOnEmbedded } from "../support/embedded.ts"
import { closable } from "../support/persistentNodes.ts"
import { eventually, text, withClient } from "../support/targets.ts"

interface Written {
  readonly write: Effect.Effect<unknown, { readonly _tag: string }>
  /** Whether another client sees it. */
  readonly isApplied: Effect.Effect<boolean, unknown>
}

/** Prepares a write of one client, which another looks at. */
type Prepare = (beside: ZooKeeper.Service) => Effect.Effect<Written, unknown, ZooKeeper.ZooKeeper | Scope.Scope>

const takeItem = Effect.gen(function* () {
  const queue = yield* Queue.make("/it")
  yield* queue.offer(Uint8Array.of(1))
  return yield* queue.takeWithLock
})

const ack: Prepare = (beside) =>
  Effect.map(takeItem, ({ ack, path }) => ({ write: ack, isApplied: isGone(beside, path) }))

const requeue: Prepare = (beside) =>
  Effect.map(takeItem, ({ path, requeue }) => ({ write: requeue, isApplied: isGone(beside, path) }))

const isGone = (zk: ZooKeeper.Service, path: string) => Effect.map(zk.exists(path), (there) => !there)

/** The request whose reply is lost, and the write. */
const writes: Readonly<Record<string, readonly [operation: string, Prepare]>> = {
  "putting up a barrier": [
    "create",
    (beside) => Effect.map(Barrier.make("/it"), ({ create }) => ({ write: create, isApplied: beside.exists("/it") }))
  ],
  "lifting a barrier": [
    "delete",
    (beside) =>
      Effect.gen(function* () {
        const { create, lift } = yield* Barrier.make("/it")
        yield* create
        return { write: lift, isApplied: isGone(beside, "/it") }
      })
  ],
  "asking the holder of a lock": [
    "setData",
    (beside) =>
      Effect.gen(function* () {
        const { path } = yield* (yield* withClient(beside)(Lock.make("/it"))).acquire()
        const { revoke } = yield* Lock.make("/it")
        return { write: revoke(), isApplied: Effect.map(beside.getData(path), (data) => text(data) !== "") }
      })
  ],
  "adding an item to an allocator": [
    "setData",
    (beside) =>
      Effect.gen(function* () {
        const allocator = yield* Allocator.make("/it", { quiet: 0 })
        yield* allocator.add("x")
        const items = Effect.map(beside.getData("/it/items"), text)
        return { write: allocator.add("y"), isApplied: Effect.map(items, (items) => items.includes("y")) }
      })
  ],
  "finishing an item of a queue": ["multi", ack],
  "putting an item of a queue back": ["multi", requeue]
}

/** A client whose session ends at the server as soon as a write of it has failed. */
const endingWithLoss = (zk: ZooKeeper.Service, end: Effect.Effect<unknown>): ZooKeeper.Service => {
  const methods: Pick<ZooKeeper.Service, "create" | "delete" | "setData" | "transaction"> = {
    create: (path, options) => Effect.onError(zk.create(path, options), () => end),
    delete: (path, options) => Effect.onError(zk.delete(path, options), () => end),
    setData: (path, data, options) => Effect.onError(zk.setData(path, data, options), () => end),
    transaction: (ops) => Effect.onError(zk.transaction(ops), () => end)
  }
  return Object.create(zk, Object.getOwnPropertyDescriptors(methods))
}

/** The error of a write that is applied, whose reply is lost, and whose session ends before the client is back. */
const errorOf = Effect.fnUntraced(function* (
  operation: string,
  prepare: Prepare,
  beside: ZooKeeper.Service,
  options: Session.SessionOptions = {}
) {
  const server = yield* EmbeddedServer
  const zk = yield* clientOf(Layer.provide(ZooKeeper.layerSession(), Session.layer(options)))
  const { id } = zk.session
  let isPrepared = false
  const end = Effect.suspend(() => (isPrepared ? server.expireSession(id) : Effect.void))
  const { isApplied, write } = yield* withClient(endingWithLoss(zk, end))(prepare(beside))
  isPrepared = true
  yield* server.dropReply({ operation, session: id })
  const error = yield* Effect.flip(write)
  assert.isTrue(yield* isApplied)
  return error
})

describe("a write of a recipe whose reply and session are lost", () => {
  itOnEmbedded(
    "is one znode of a persistent node with a number, which goes with its Scope",
    function* ({ server, zk }) {
      const mine = yield* connectAnother
      yield* zk.create("/members")
      yield* server.dropReply({ operation: "create", session: mine.session.id })
      const options = { mode: "persistentSequential", wait: false } as const
      const { close, node } = yield* closable(mine, "/members/m-", options)
      const members = zk.getChildren("/members")
      yield* eventually(members, ({ length }) => length > 0)
      yield* server.expireSession(mine.session.id)
      const present = yield* node.present
      yield* zk.sync("/members")
      assert.deepStrictEqual(yield* members, [ZnodePath.name(present)])
      yield* close
      yield* zk.sync("/members")
      assert.deepStrictEqual(yield* members, [])
    }
  )

  itOnEmbedded("says so when it is repeated because its outcome is unknown, and not sent", function* ({ zk }) {
    const { setData } = zk
    let writes = 0
    const ending: ZooKeeper.Service = Object.create(zk, {
      setData: {
        value: ((path, data, options) =>
          writes++ > 0
            ? Effect.fail(new SessionClosed())
            : setData(path, data, options).pipe(
                Effect.andThen(setData(path, '["a"]')),
                Effect.andThen(setData(path, '["b"]')),
                Effect.andThen(new ConnectionLoss({ operation: "setData", path, maybeApplied: true }))
              )) satisfies ZooKeeper.Service["setData"]
      }
    })
    yield* zk.ensurePath("/it/items")
    yield* zk.set("/it/items", "[]")
    const allocator = yield* withClient(ending)(Allocator.make("/it", { quiet: 0 }))
    const error = yield* Effect.flip(allocator.add("x"))
    assert.deepInclude({ ...error }, { _tag: "SessionClosed", maybeApplied: true })
    assert.strictEqual(writes, 2)
  })

  for (const [name, [operation, prepare]] of Object.entries(writes)) {
    itOnEmbedded(`says that it may have been applied when no session follows: ${name}`, function* ({ zk: beside }) {
      const error = yield* errorOf(operation, prepare, beside, { sessionExpiry: "fail" })
      assert.isTrue(Outcome.mayBeApplied(error), JSON.stringify(error))
    })
  }

  for (const [name, prepare] of Object.entries({ finished: ack, "put back": requeue })) {
    itOnEmbedded(`says so of an item that is ${name} when another follows`, function* ({ zk: beside }) {
      const error = yield* errorOf("multi", prepare, beside)
      assert.instanceOf(error, LockLost)
      assert.deepInclude({ ...error }, { maybeApplied: true })
      assert.include(error.message, "may have been applied")
    })
  }
})
