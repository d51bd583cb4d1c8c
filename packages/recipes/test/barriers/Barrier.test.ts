import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as LaggingClient from "@effect-zookeeper/test-kit/LaggingClient"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Barrier from "../../src/Barrier.ts"
import { begun } from "../support/barriers.ts"
import { withClient, describeOnServers, eventually, failure, awaitNextSession, now } from "../support/targets.ts"

describeOnServers("a barrier", (it) => {
  it.inChroot("releases its waiters when it is lifted, and not before (aiozk 1)", function* ({ another, zk }) {
    const mine = yield* withClient(zk)(Barrier.make("/barrier"))
    const theirs = yield* withClient(yield* another())(Barrier.make("/barrier"))
    yield* mine.create
    const waiter = yield* begun(theirs.wait())
    // A change of its data lifts no barrier.
    yield* zk.set("/barrier", "still up")
    assert.strictEqual((yield* failure(theirs.wait({ timeout: "200 millis" }), "WaitTimeout")).timeout, 200)
    assert.isFalse(waiter.hasEnded())
    yield* mine.lift
    yield* waiter.ends
  })

  it.inChroot("releases a thousand waiters, none of them too early (aiozk 3)", function* ({ zk }) {
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    yield* barrier.create
    const waiters = yield* Effect.forEach(Array.from({ length: 1000 }), () => begun(barrier.wait()))
    yield* zk.set("/barrier", "all have looked by now")
    assert.isFalse(waiters.some(({ hasEnded }) => hasEnded()))
    yield* barrier.lift
    yield* Effect.forEach(waiters, ({ ends }) => ends).pipe(Effect.timeout("15 seconds"))
  })

  it.inChroot("lets clients pass where there is none (aiozk 4)", function* ({ zk }) {
    const barrier = yield* withClient(zk)(Barrier.make("/some/where/barrier"))
    yield* barrier.wait()
    yield* barrier.wait({ timeout: 0 })
    yield* barrier.lift
  })

  it.inChroot("is there when it has been created, parents and all", function* ({ zk }) {
    // aiozk's creates nothing without a parent, silently, and waiters pass.
    const barrier = yield* withClient(zk)(Barrier.make("/some/where/barrier"))
    yield* barrier.create
    yield* barrier.create
    assert.isTrue(yield* zk.exists("/some/where/barrier"))
    assert.strictEqual((yield* failure(barrier.wait({ timeout: 0 }), "WaitTimeout")).timeout, 0)
  })

  it.inChroot("releases a waiter without a connection when it is lifted", function* ({ breakable, zk }) {
    // aiozk's waiter hangs for ever.
    const { link, zk: mine } = yield* breakable()
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    yield* barrier.create
    const waiter = yield* begun((yield* withClient(mine)(Barrier.make("/barrier"))).wait())
    yield* mine.exists("/")
    yield* link.cut
    yield* barrier.lift
    // Another one that is put up at once holds up those who come to it, not those who waited for the first.
    yield* barrier.create
    assert.isFalse(waiter.hasEnded())
    yield* link.heal
    yield* waiter.ends
  })

  it.inChroot("still delays a waiter that has lost its session", function* ({ another, expire, zk }) {
    const mine = yield* another()
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    yield* barrier.create
    const waiter = yield* begun((yield* withClient(mine)(Barrier.make("/barrier"))).wait())
    const { id } = mine.session
    yield* expire(mine)
    yield* awaitNextSession(mine, id)
    yield* mine.sync("/")
    assert.isFalse(waiter.hasEnded())
    yield* barrier.lift
    yield* waiter.ends
  })

  it.inChroot("is lifted once, and a later one stays, when the reply is lost", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    const theirs = yield* withClient(mine)(Barrier.make("/barrier"))
    yield* barrier.create
    yield* link.loseReply(Operations.deleteNode)
    const lifting = yield* Effect.forkChild(theirs.lift, now)
    yield* eventually(zk.exists("/barrier"), (there) => !there)
    yield* barrier.create
    yield* Fiber.join(lifting)
    assert.isTrue(yield* zk.exists("/barrier"))
    yield* link.loseRequest(Operations.deleteNode)
    yield* theirs.lift
    assert.isFalse(yield* zk.exists("/barrier"))
  })

  it.inChroot("is lifted once, and a later one stays, when the server lags behind", function* ({ another, zk }) {
    const client = LaggingClient.make(yield* another(), "/barrier")
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    const theirs = yield* withClient(client.zk)(Barrier.make("/barrier"))
    yield* barrier.create
    client.loseDelete(barrier.create)
    yield* theirs.lift
    assert.isTrue(yield* zk.exists("/barrier"))
    // The first look shows one that is gone; another was put up before the call.
    yield* client.stay
    yield* barrier.lift
    yield* barrier.create
    yield* theirs.lift
    assert.isFalse(yield* zk.exists("/barrier"))
  })

  it.inChroot("stays when it was put up again between the look and the delete", function* ({ another, zk }) {
    const mine = yield* another()
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    let looks = 0
    // After the first look another lifts the barrier, and puts up one whose data has been changed.
    const slow: ZooKeeper.Service = {
      ...mine,
      stat: (path) =>
        Effect.tap(mine.stat(path), () =>
          looks++ > 0
            ? Effect.void
            : barrier.lift.pipe(Effect.andThen(barrier.create), Effect.andThen(zk.set(path, "another")), Effect.orDie)
        )
    }
    yield* barrier.create
    yield* (yield* withClient(slow)(Barrier.make("/barrier"))).lift
    assert.isTrue(yield* zk.exists("/barrier"))
  })

  it.inChroot("fails when there are znodes below it, and stays", function* ({ zk }) {
    const barrier = yield* withClient(zk)(Barrier.make("/barrier"))
    yield* barrier.create
    yield* zk.create("/barrier/child")
    yield* failure(barrier.lift, "NotEmpty")
    assert.isTrue(yield* zk.exists("/barrier"))
  })
})
