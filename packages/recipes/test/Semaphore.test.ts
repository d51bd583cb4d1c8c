import * as Op from "@effect-zookeeper/client/Op"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { Held } from "../src/Held.ts"
import * as Semaphore from "../src/Semaphore.ts"
import { by, describeOnServers, eventually, failure, outcome, place, text } from "./targets.ts"

const at = (zk: ZooKeeper.Service, permits: number | Semaphore.SharedPermits, options?: Partial<Semaphore.Options>) =>
  by(zk)(Semaphore.make("/semaphore", { permits, ...options }))

/** Holds permits until told to go. */
const hold = (semaphore: Semaphore.Semaphore, permits = 1, options?: Parameters<Semaphore.Semaphore["acquire"]>[0]) =>
  Effect.gen(function* () {
    const got = yield* Deferred.make<ReadonlyArray<Held>>()
    const go = yield* Deferred.make<void>()
    const body = (held: ReadonlyArray<Held>) => Effect.andThen(Deferred.succeed(got, held), Deferred.await(go))
    const fiber = yield* Effect.forkScoped(semaphore.withPermits(permits, body, options), { startImmediately: true })
    return {
      fiber,
      held: Deferred.await(got).pipe(Effect.timeout("20 seconds")),
      isHeld: Deferred.isDone(got),
      release: Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber))
    }
  })

/** Containers may be reaped meanwhile. */
const children = (zk: ZooKeeper.Service, name: string) =>
  Effect.orElseSucceed(zk.getChildren(`/semaphore/${name}`), () => [])

const leases = (zk: ZooKeeper.Service, count: number) =>
  eventually(children(zk, "leases"), (names) => names.length === count)

const isEmpty = (zk: ZooKeeper.Service) =>
  Effect.andThen(
    leases(zk, 0),
    eventually(children(zk, "locks"), (names) => names.length === 0)
  )

/** Counts who is inside at once. */
const makeWitness = (limit: number) => {
  let inside = 0
  return {
    inside: (permits: number) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          inside += permits
          assert.isAtMost(inside, limit)
        }),
        () => Effect.sleep(2),
        () => Effect.sync(() => void (inside -= permits))
      )
  }
}

describeOnServers("a semaphore", (it) => {
  it.effect("gives one permit of one to ten who ask at once (aiozk grants ten: 1.11)", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const clients = [zk, yield* another(), yield* another()]
      const gate = yield* Deferred.make<void>()
      const tries = Array.from({ length: 10 }, (_, index) =>
        Effect.flatMap(at(clients[index % 3]!, 1), ({ withPermit }) =>
          withPermit(Deferred.await(gate), { timeout: index % 2 === 0 ? 0 : "400 millis" })
        )
      )
      const fibers: Array<Fiber.Fiber<string>> = []
      for (const attempt of tries) fibers.push(yield* Effect.forkChild(outcome(attempt), { startImmediately: true }))
      yield* eventually(
        Effect.sync(() => fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length),
        (done) => done >= 9
      )
      yield* leases(zk, 1)
      yield* Deferred.succeed(gate, undefined)
      const outcomes = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(outcomes.toSorted(), [...Array.from({ length: 9 }, () => "LockTimeout"), "success"])
      yield* isEmpty(zk)
    })
  )

  it.effect("admits a waiter when either of two holders goes", () =>
    Effect.gen(function* () {
      const { another, watches, zk } = yield* place
      const mine = yield* at(zk, 2)
      const theirs = yield* at(yield* another(), 2)
      for (const first of [0, 1]) {
        const holders = [yield* hold(mine), yield* hold(theirs)]
        for (const { held } of holders) assert.match((yield* held)[0]!.path, /leases\/_c_[-0-9a-f]{36}-lease-\d{10}$/)
        const waiter = yield* hold(theirs)
        yield* leases(zk, 3)
        assert.isFalse(yield* waiter.isHeld)
        yield* holders[first]!.release
        yield* waiter.held
        yield* holders[1 - first]!.release
        yield* waiter.release
        yield* isEmpty(zk)
      }
      yield* eventually(watches, (count) => count === 0)
    })
  )

  it.effect("gives each permit a token and a loss of its own, and refuses what its former holder writes", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const semaphore = yield* at(zk, 3, { identifier: "me" })
      assert.strictEqual(yield* semaphore.available, 3)
      assert.deepStrictEqual(yield* semaphore.holders, [])
      const scope = yield* Scope.make()
      const held = yield* Effect.provideService(semaphore.acquireMany(2), Scope.Scope, scope)
      const one = yield* Effect.provideService(semaphore.acquire(), Scope.Scope, scope)
      assert.strictEqual(new Set([...held, one].map(({ fencingToken }) => fencingToken)).size, 3)
      assert.strictEqual(yield* semaphore.available, 0)
      assert.deepStrictEqual(
        (yield* semaphore.holders).map(({ identifier }) => text(identifier)),
        ["me", "me", "me"]
      )
      yield* held[1]!.transaction([Op.create("/made")])
      yield* zk.delete(held[0]!.path)
      assert.strictEqual((yield* failure(held[0]!.lost, "LockLost")).reason, "deleted")
      assert.strictEqual(yield* outcome(held[0]!.transaction([Op.delete("/made")])), "LockLost")
      yield* held[1]!.transaction([Op.delete("/made")])
      assert.strictEqual(yield* semaphore.available, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* failure(one.lost, "LockLost")).reason, "released")
      assert.strictEqual(yield* semaphore.available, 3)
      yield* isEmpty(zk)
    })
  )

  it.effect("interrupts what several permits guard when one of them is lost", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      const working = yield* hold(yield* at(zk, 3), 3)
      const held = yield* working.held
      yield* zk.delete(held[1]!.path)
      const lost = yield* failure(Fiber.join(working.fiber), "LockLost")
      assert.strictEqual(lost.path, held[1]!.path)
      yield* isEmpty(zk)
    })
  )

  it.effect("gives several permits together or not at all, and nobody waits in a circle for them", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const mine = yield* at(zk, 3)
      const theirs = yield* at(yield* another(), 3)
      const one = yield* hold(theirs)
      yield* one.held
      assert.strictEqual(yield* outcome(mine.withPermits(3, Effect.void, { timeout: 0 })), "LockTimeout")
      yield* leases(zk, 1)
      assert.strictEqual(yield* outcome(mine.withPermits(3, Effect.void, { timeout: 50 })), "LockTimeout")
      yield* leases(zk, 1)
      const all = yield* hold(mine, 3)
      yield* leases(zk, 4)
      // In line behind it: what is left is not for those who come later.
      const late = yield* hold(theirs)
      yield* eventually(children(zk, "locks"), (names) => names.length === 2)
      assert.isFalse(yield* late.isHeld)
      yield* one.release
      assert.lengthOf(yield* all.held, 3)
      assert.isFalse(yield* late.isHeld)
      yield* all.release
      yield* late.held
      yield* late.release
      const witness = makeWitness(3)
      yield* Effect.all(
        Array.from({ length: 12 }, (_, index) => {
          const permits = 1 + (index % 3)
          return (index % 2 === 0 ? mine : theirs).withPermits(permits, witness.inside(permits))
        }),
        { concurrency: "unbounded", discard: true }
      )
      yield* isEmpty(zk)
    })
  )

  it.effect("refuses numbers that are none", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      for (const permits of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
        assert.strictEqual(yield* outcome(at(zk, permits)), "InvalidArgument")
      }
      const semaphore = yield* at(zk, 2)
      for (const permits of [0, 3, 1.5]) {
        assert.strictEqual(yield* outcome(Effect.scoped(semaphore.acquireMany(permits))), "InvalidArgument")
      }
      assert.strictEqual(yield* outcome(at(zk, { at: "no path", initial: 1 })), "InvalidArgument")
      assert.isFalse(yield* zk.exists("/semaphore"))
    })
  )

  it.effect("refuses who was told another number, as long as others hold permits (kazoo's ValueError)", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const two = yield* at(zk, 2)
      const three = yield* at(yield* another(), 3)
      const one = yield* hold(two)
      yield* one.held
      for (const timeout of [0, "20 seconds"] as const) {
        const refused = yield* failure(three.withPermit(Effect.die("held"), { timeout }), "PermitsMismatch")
        assert.deepStrictEqual([refused.path, refused.permits, refused.others], ["/semaphore", 3, 2])
      }
      yield* leases(zk, 1)
      // It holds nobody up.
      yield* two.withPermit(Effect.void, { timeout: "20 seconds" })
      yield* one.release
      yield* three.withPermits(3, Effect.void)
      const other = yield* hold(three)
      yield* other.held
      assert.strictEqual(yield* outcome(two.withPermit(Effect.void)), "PermitsMismatch")
      yield* other.release
    })
  )

  it.effect("leaves alone what another program has written beside it", () =>
    Effect.gen(function* () {
      const { zk } = yield* place
      yield* zk.createWithParents("/semaphore/leases", { data: "10.0.0.1" })
      yield* zk.create("/semaphore/leases/README")
      const semaphore = yield* at(zk, 1)
      yield* semaphore.withPermit(Effect.void, { timeout: 0 })
      assert.strictEqual(text(yield* zk.getData("/semaphore/leases")), "10.0.0.1")
      // A lease of Curator's.
      const path = yield* zk.create("/semaphore/leases/_c_0f3a-lease-", { mode: "ephemeralSequential" })
      assert.strictEqual(yield* outcome(semaphore.withPermit(Effect.void, { timeout: 0 })), "LockTimeout")
      yield* zk.delete(path)
      yield* semaphore.withPermit(Effect.void, { timeout: 0 })
    })
  )

  it.effect(
    "takes the limit from a znode: raised from one to three it releases two waiters, lowered it revokes none",
    () =>
      Effect.gen(function* () {
        const { another, watches, zk } = yield* place
        const shared = { at: "/limits/semaphore", initial: 1 }
        const mine = yield* at(zk, shared)
        const theirs = yield* at(yield* another(), shared)
        assert.strictEqual(yield* mine.available, 1)
        const first = yield* hold(mine)
        yield* first.held
        const waiters = [yield* hold(theirs), yield* hold(mine), yield* hold(theirs), yield* hold(mine)]
        yield* eventually(children(zk, "locks"), (names) => names.length === 4)
        yield* zk.setData(shared.at, new Uint8Array([0, 0, 0, 3]))
        const held = yield* eventually(
          Effect.filter(waiters, ({ isHeld }) => isHeld),
          (held) => held.length === 2
        )
        // The next one waits with a lease of its own, and no more are let in.
        yield* leases(zk, 4)
        yield* Effect.sleep(50)
        assert.lengthOf(yield* Effect.filter(waiters, ({ isHeld }) => isHeld), 2)
        yield* zk.setData(shared.at, new Uint8Array([0, 0, 0, 1]))
        yield* first.release
        yield* Effect.sleep(30)
        for (const { fiber } of held) assert.isUndefined(fiber.pollUnsafe())
        for (const { release } of held) yield* release
        // In the order of their line, which is that of the server, not of the sessions here.
        yield* Effect.forEach(
          waiters.filter((waiter) => !held.includes(waiter)),
          (waiter) => Effect.andThen(waiter.held, waiter.release),
          { concurrency: "unbounded" }
        )
        yield* isEmpty(zk)
        yield* eventually(watches, (count) => count === 0)
        yield* zk.setData(shared.at, "three")
        const invalid = yield* failure(mine.withPermit(Effect.void), "DataInvalid")
        assert.strictEqual(invalid.path, shared.at)
        yield* isEmpty(zk)
      })
  )
})

/** The steps of acquiring and of releasing. */
const steps: ReadonlyArray<Operation.Any> = [
  Operations.create2,
  Operations.getChildren,
  Operations.getChildren2,
  Operations.getData,
  Operations.multiRead,
  Operations.deleteNode
]

describeOnServers("a semaphore under faults", (it) => {
  it.effect("is left without a znode by a waiter that is interrupted (Curator testInterruptAcquire)", () =>
    Effect.gen(function* () {
      const { another, watches, zk } = yield* place
      const one = yield* hold(yield* at(zk, 1))
      yield* one.held
      const theirs = yield* at(yield* another(), 1)
      const waiting = yield* Effect.forkChild(theirs.withPermit(Effect.void))
      yield* leases(zk, 2)
      const next = yield* hold(theirs)
      yield* eventually(children(zk, "locks"), (names) => names.length === 2)
      yield* Fiber.interrupt(waiting)
      yield* leases(zk, 2)
      yield* one.release
      yield* next.held
      yield* next.release
      yield* isEmpty(zk)
      yield* eventually(watches, (count) => count === 0)
    })
  )

  it.effect("is asked again by a waiter whose lease or lock was deleted (Curator testNoOrphanedNodes)", () =>
    Effect.gen(function* () {
      const { another, zk } = yield* place
      const one = yield* hold(yield* at(zk, 1))
      const [{ path }] = (yield* one.held) as readonly [Held]
      const waiter = yield* hold(yield* at(yield* another(), 1))
      yield* leases(zk, 2)
      for (const name of yield* children(zk, "leases")) {
        if (!path.endsWith(name)) yield* zk.delete(`/semaphore/leases/${name}`)
      }
      yield* leases(zk, 2)
      yield* eventually(children(zk, "locks"), (names) => names.length === 1)
      for (const name of yield* children(zk, "locks")) yield* zk.delete(`/semaphore/locks/${name}`)
      yield* eventually(children(zk, "locks"), (names) => names.length === 1)
      yield* leases(zk, 2)
      yield* one.release
      const [held] = yield* waiter.held
      assert.deepStrictEqual(
        (yield* children(zk, "leases")).map((name) => `/semaphore/leases/${name}`),
        [held!.path]
      )
      yield* waiter.release
      yield* isEmpty(zk)
    })
  )

  it.effect("is asked again by a waiter whose session has ended (kazoo test_handle_session_loss)", () =>
    Effect.gen(function* () {
      const { another, expire, zk } = yield* place
      const one = yield* hold(yield* at(zk, 1))
      yield* one.held
      const other = yield* another({ sessionTimeout: "4 seconds" })
      const waiter = yield* hold(yield* at(other, 1))
      yield* leases(zk, 2)
      const before = other.session.id
      yield* expire(other)
      yield* eventually(
        Effect.sync(() => other.session.id),
        (id) => id !== before && id !== 0n
      )
      yield* leases(zk, 2)
      assert.isFalse(yield* waiter.isHeld)
      yield* one.release
      yield* waiter.held
      yield* waiter.release
      yield* isEmpty(zk)
    })
  )

  it.effect("has a permit for others when the session of its holder ends, and the holder is told", () =>
    Effect.gen(function* () {
      const { another, expire, zk } = yield* place
      const other = yield* another({ sessionTimeout: "4 seconds" })
      const theirs = yield* hold(yield* at(other, 2), 2)
      const before = yield* theirs.held
      const mine = yield* hold(yield* at(zk, 2), 2)
      yield* leases(zk, 4)
      yield* expire(other)
      const after = yield* mine.held
      assert.isTrue(after.every(({ fencingToken }) => before.every((former) => former.fencingToken < fencingToken)))
      assert.strictEqual((yield* failure(Fiber.join(theirs.fiber), "LockLost")).reason, "session")
      yield* mine.release
      yield* isEmpty(zk)
    })
  )

  it.effect("stops who is cut off before another has the permit", () =>
    Effect.gen(function* () {
      const { breakable, zk } = yield* place
      const { link, zk: broken } = yield* breakable({ sessionTimeout: "2 seconds" })
      const theirs = yield* at(broken, 1)
      const mine = yield* at(zk, 1)
      const began = yield* Deferred.make<void>()
      let stopped = Number.POSITIVE_INFINITY
      const guarded = yield* Effect.forkChild(
        theirs.withPermit(
          Effect.andThen(Deferred.succeed(began, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Effect.sync(() => (stopped = performance.now())))
          )
        )
      )
      yield* Deferred.await(began)
      const waiting = yield* Effect.forkChild(mine.withPermit(Effect.sync(() => performance.now())))
      yield* leases(zk, 2)
      yield* link.cut
      const acquired = yield* Fiber.join(waiting)
      assert.isTrue(stopped < acquired, `stopped at ${stopped}, acquired at ${acquired}`)
      assert.strictEqual((yield* failure(Fiber.join(guarded), "LockLost")).reason, "session")
    })
  )

  it.effect("never has more holders than permits, whoever's connection is lost at whichever step", () =>
    Effect.gen(function* () {
      const { another, breakable, watches, zk } = yield* place
      const { link, zk: broken } = yield* breakable()
      const [rival, mine] = [yield* at(yield* another(), 3), yield* at(broken, 3)]
      const witness = makeWitness(3)
      for (const step of steps) {
        for (const lose of [link.loseReply, link.loseRequest]) {
          yield* lose(step)
          yield* Effect.all(
            Array.from({ length: 6 }, (_, index) => {
              const permits = 1 + (index % 2)
              const semaphore = index % 2 === 0 ? mine : rival
              return semaphore.withPermits(permits, witness.inside(permits), { timeout: "25 seconds" })
            }),
            { concurrency: "unbounded", discard: true }
          )
          yield* isEmpty(zk)
        }
      }
      yield* eventually(watches, (count) => count === 0)
    })
  )

  it.effect("never has more holders than permits with fifty who come, give up and lose their sessions", () =>
    Effect.gen(function* () {
      const { another, expire, watches, zk } = yield* place
      const options = { sessionTimeout: "4 seconds" } as const
      const clients = [yield* another(options), yield* another(options), yield* another(options)]
      const limit = 3
      // Who holds by which session: an expired one's permits are free before its holder is told.
      const inside = new Map<object, bigint>()
      const enter = (key: object, client: ZooKeeper.Service) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            inside.set(key, client.session.id)
            const current = new Set(clients.map(({ session }) => session.id))
            assert.isAtMost([...inside.values()].filter((id) => current.has(id)).length, limit)
          }),
          () => Effect.flatMap(Random.next, (random) => Effect.sleep(random * 6)),
          () => Effect.sync(() => inside.delete(key))
        )
      const visitor = (index: number) =>
        Effect.gen(function* () {
          const client = clients[index % clients.length]!
          const semaphore = yield* at(client, limit)
          yield* Effect.sleep((yield* Random.next) * 60)
          const timeout = index % 4 === 0 ? 0 : index % 4 === 1 ? (yield* Random.next) * 80 : undefined
          yield* Effect.ignore(semaphore.withPermit(enter({}, client), { timeout }))
        })
      const crowd = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 50 }, (_, index) =>
            index % 5 === 0 ? Effect.asVoid(Effect.timeoutOption(visitor(index), 40)) : visitor(index)
          ),
          { concurrency: "unbounded", discard: true }
        )
      )
      yield* Effect.sleep(20)
      yield* expire(clients[0]!)
      yield* Effect.sleep(40)
      yield* expire(clients[1]!)
      yield* Fiber.join(crowd).pipe(Effect.timeout("25 seconds"))
      yield* isEmpty(zk)
      yield* eventually(watches, (count) => count === 0)
    })
  )

  it.effect("is left without a znode by an acquisition that is interrupted at any moment", () =>
    Effect.gen(function* () {
      const { another, watches, zk } = yield* place
      const mine = yield* at(zk, 2)
      const rival = yield* at(yield* another(), 2)
      const witness = makeWitness(2)
      for (let round = 0; round < 40; round++) {
        const behind = yield* Effect.forkChild(rival.withPermit(witness.inside(1)))
        const interrupted = yield* Effect.forkChild(mine.withPermits(2, witness.inside(2)), { startImmediately: true })
        if (round < 12) for (let turn = 0; turn < round; turn++) yield* Effect.yieldNow
        else yield* Effect.sleep((round - 12) * 0.4)
        yield* Fiber.interrupt(interrupted)
        yield* Fiber.join(behind).pipe(Effect.timeout("20 seconds"))
      }
      yield* isEmpty(zk)
      yield* eventually(watches, (count) => count === 0)
    })
  )
})
