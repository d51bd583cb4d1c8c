/** Holders that other clients ask to give back what they hold. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { HoldOptions } from "../../src/Held.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { awaitChildren, holdLock, holdUntilReleased } from "../support/holds.ts"
import { awaitNoContenders, makeLock } from "../support/locks.ts"
import {
  awaitCondition,
  awaitNoWatches,
  describeOnServers,
  eventually,
  failure,
  text,
  withClient
} from "../support/targets.ts"

const soon = Effect.timeout("15 seconds")

const election = (zk: ZooKeeper.Service, options?: LeaderElection.Options) =>
  withClient(zk)(LeaderElection.make("/election", options))

describeOnServers("a holder that is asked to give back", (it) => {
  it.inChroot("hears it, goes on as long as it likes, and gives the lock back", function* ({ another, watches, zk }) {
    const lock = yield* makeLock(zk)
    const other = yield* makeLock(yield* another())
    assert.strictEqual(yield* other.revoke(), 0)
    const first = yield* holdLock(lock)
    const { revocation } = yield* first.held
    const hearing = yield* Effect.forkChild(revocation)
    const second = yield* holdLock(other)
    yield* awaitChildren(zk, "/lock", 2)
    assert.strictEqual(yield* other.revoke(), 1)
    yield* soon(Fiber.join(hearing))
    // A request and no more.
    assert.isFalse(yield* second.isHeld)
    yield* soon(revocation)
    yield* first.release
    const { revocation: unheard } = yield* second.held
    assert.isTrue(Option.isNone(yield* Effect.timeoutOption(unheard, 50)))
    yield* second.release
    yield* awaitNoContenders(zk)
    yield* awaitNoWatches(watches)
  })

  it.inChroot("is asked with the data that Curator's Revoker writes", function* ({ another, zk }) {
    const first = yield* holdLock(yield* makeLock(zk, { identifier: "first" }))
    const { path, revocation } = yield* first.held
    // Other data is no request.
    yield* zk.set(path, "something else")
    assert.isTrue(Option.isNone(yield* Effect.timeoutOption(revocation, 50)))
    yield* zk.set(path, "__REVOKE__")
    yield* soon(revocation)
    yield* first.release
    const second = yield* holdLock(yield* makeLock(yield* another()))
    const held = yield* second.held
    assert.strictEqual(yield* (yield* makeLock(zk)).revoke(), 1)
    assert.strictEqual(text(yield* zk.getData(held.path)), "__REVOKE__")
    yield* second.release
  })

  it.inChroot("hears a request that came while it was waiting", function* ({ another, zk }) {
    const lock = yield* makeLock(zk)
    const first = yield* holdLock(lock)
    yield* first.held
    const second = yield* holdLock(yield* makeLock(yield* another()))
    yield* awaitChildren(zk, "/lock", 2)
    const [, waiting] = yield* lock.contenders
    assert.strictEqual(yield* lock.revoke(waiting), 1)
    yield* first.release
    yield* soon((yield* second.held).revocation)
    yield* second.release
  })

  it.inChroot(
    "gives it back at once under `onRevoke: stop`, if it was asked while it was waiting",
    function* ({ another, zk }) {
      const lock = yield* makeLock(zk)
      const first = yield* holdLock(lock)
      yield* first.held
      let inside = 0
      const stopping = yield* makeLock(yield* another(), { onRevoke: "stop" })
      const asked = yield* Effect.forkChild(stopping.withLock(Effect.sync(() => inside++)))
      yield* awaitChildren(zk, "/lock", 2)
      const [, waiting] = yield* lock.contenders
      assert.strictEqual(yield* lock.revoke(waiting), 1)
      const behind = yield* holdLock(yield* makeLock(yield* another()))
      yield* awaitChildren(zk, "/lock", 3)
      yield* first.release
      const lost = yield* soon(failure(Fiber.join(asked), "LockLost"))
      assert.deepStrictEqual([lost.reason, inside], ["revoked", 0])
      yield* soon(behind.held)
      yield* behind.release
      yield* awaitNoContenders(zk)
    }
  )

  it.inChroot("is interrupted under `onRevoke: stop`, before the next one has the lock", function* ({ another, zk }) {
    const lock = yield* makeLock(zk, { onRevoke: "stop" })
    const other = yield* makeLock(yield* another())
    let inside = 0
    const enter = Effect.sync(() => assert.strictEqual(++inside, 1))
    const leave = Effect.sync(() => void inside--)
    const working = yield* Effect.forkChild(
      lock.withLock(
        Effect.acquireUseRelease(
          enter,
          () => Effect.never,
          () => Effect.andThen(Effect.sleep(50), leave)
        )
      )
    )
    yield* awaitCondition(() => inside === 1)
    const next = yield* Effect.forkChild(
      other.withLock(
        Effect.acquireUseRelease(
          enter,
          () => Effect.void,
          () => leave
        )
      )
    )
    yield* awaitChildren(zk, "/lock", 2)
    yield* other.revoke()
    const lost = yield* failure(Fiber.join(working), "LockLost")
    assert.strictEqual(lost.reason, "revoked")
    assert.include(lost.message, "another client asked for it")
    yield* Fiber.join(next)
    yield* awaitNoContenders(zk)
  })

  it.inChroot("hears a request that was made while it had no connection", function* ({ breakable, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const first = yield* holdLock(yield* makeLock(broken))
    const { revocation } = yield* first.held
    yield* link.cut
    assert.strictEqual(yield* (yield* makeLock(zk)).revoke(), 1)
    yield* link.heal
    yield* soon(revocation)
    yield* first.release
  })

  it.inChroot("is asked once, whichever reply or request is lost", function* ({ breakable, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    const asking = yield* makeLock(broken)
    for (const lose of [link.loseReply, link.loseRequest]) {
      const first = yield* holdLock(yield* makeLock(zk))
      const { revocation } = yield* first.held
      yield* lose(Operations.setData)
      assert.strictEqual(yield* asking.revoke(), 1)
      yield* soon(revocation)
      yield* first.release
    }
  })

  it.inChroot("resigns as a leader, and is a candidate again behind the others", function* ({ another, zk }) {
    const led: Array<string> = []
    const candidate = Effect.fnUntraced(function* (client: ZooKeeper.Service, name: string) {
      const { whileLeader } = yield* election(client, { identifier: name, onRevoke: "stop" })
      yield* Effect.forkScoped(
        whileLeader(
          Effect.andThen(
            Effect.sync(() => void led.push(name)),
            Effect.never
          )
        )
      )
    })
    yield* candidate(zk, "first")
    yield* awaitCondition(() => led.length === 1)
    yield* candidate(yield* another(), "second")
    const { participants, revoke } = yield* election(zk)
    yield* awaitChildren(zk, "/election", 2)
    for (const leader of ["second", "first"]) {
      assert.strictEqual(yield* revoke(), 1)
      yield* awaitCondition(() => led.at(-1) === leader)
      yield* eventually(participants, (all) => all.length === 2 && text(all[0]!.identifier) === leader)
    }
    assert.deepStrictEqual(led, ["first", "second", "first"])
  })

  it.inChroot("gives a permit back, of all or of one holder", function* ({ another, zk }) {
    const semaphore = (client: ZooKeeper.Service, options?: HoldOptions) =>
      withClient(client)(Semaphore.make("/limit", { permits: 2, ...options }))
    const mine = yield* semaphore(zk)
    const one = yield* mine.acquire()
    const two = yield* mine.acquire()
    const other = yield* semaphore(yield* another())
    assert.strictEqual(yield* other.revoke(two), 1)
    yield* soon(two.revocation)
    assert.isTrue(Option.isNone(yield* Effect.timeoutOption(one.revocation, 50)))
    assert.strictEqual(yield* other.revoke(), 2)
    yield* soon(one.revocation)
    yield* failure(other.revoke({ path: "/limit" }), "InvalidArgument")
    yield* failure(other.revoke({ path: "/limit/leases/other" }), "InvalidArgument")
    const gone = { path: `${one.path.slice(0, -10)}0999999999` }
    assert.strictEqual(yield* other.revoke(gone), 0)
  })

  it.inChroot("is the writer, or each of the readers at the head of the queue", function* ({ another, zk }) {
    const lock = (client: ZooKeeper.Service) => withClient(client)(ReadWriteLock.make("/rw"))
    const mine = yield* lock(zk)
    const other = yield* lock(yield* another())
    const readers = [yield* holdLock(mine.read), yield* holdLock(other.read)]
    for (const reader of readers) yield* reader.held
    const writer = yield* holdLock(other.write)
    yield* awaitChildren(zk, "/rw", 3)
    assert.strictEqual(yield* mine.revoke(), 2)
    for (const reader of readers) {
      yield* soon((yield* reader.held).revocation)
      yield* reader.release
    }
    const { revocation } = yield* writer.held
    assert.strictEqual(yield* mine.revoke(), 1)
    yield* soon(revocation)
    yield* writer.release
  })

  it.inChroot("keeps `acquire` and tells its loss under `onRevoke: stop`", function* ({ another, zk }) {
    const lock = yield* withClient(zk)(Lock.make("/lock", { onRevoke: "stop" }))
    const lost = yield* Deferred.make<string>()
    const holding = yield* holdUntilReleased((body: (held: void) => Effect.Effect<void>) =>
      Effect.scoped(
        Effect.gen(function* () {
          const held = yield* lock.acquire()
          yield* Effect.forkScoped(Effect.catch(held.lost, ({ reason }) => Deferred.succeed(lost, reason)))
          yield* body(undefined)
        })
      )
    )
    yield* holding.held
    yield* (yield* makeLock(yield* another())).revoke()
    assert.strictEqual(yield* soon(Deferred.await(lost)), "revoked")
    // The znode is there until the Scope closes.
    yield* awaitChildren(zk, "/lock", 1)
    yield* holding.release
    yield* awaitNoContenders(zk)
  })
})
