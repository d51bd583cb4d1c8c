import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { LockLost } from "../../src/Errors.ts"
import type { Held } from "../../src/Held.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import { getChildrenOrNone, assertLostWithSession } from "../support/holds.ts"
import {
  withClient,
  describeOnServers,
  eventually,
  failure,
  pullFrom,
  text,
  now,
  closable
} from "../support/targets.ts"

const election = (zk: ZooKeeper.Service, identifier: string, options?: LeaderElection.Options) =>
  withClient(zk)(LeaderElection.make("/election", { identifier, ...options }))

const nameOf = Option.match({
  onNone: () => "nobody",
  onSome: ({ identifier }: LeaderElection.Participant) => text(identifier)
})

/** Leads until told to go, and tells what happens to it. */
const candidate = Effect.fnUntraced(function* (zk: ZooKeeper.Service, name: string, options?: LeaderElection.Options) {
  const { participants, whileLeader } = yield* election(zk, name, options)
  const led = yield* Queue.unbounded<Held>()
  const done = yield* Deferred.make<string>()
  let leads = false
  const fiber = yield* Effect.forkScoped(
    whileLeader((held) =>
      Effect.gen(function* () {
        leads = true
        yield* Queue.offer(led, held)
        return yield* Deferred.await(done)
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            leads = false
          })
        )
      )
    ),
    now
  )
  // In the order of the calls, whichever connection is faster.
  yield* eventually(participants, (all) => all.some(({ identifier }) => text(identifier) === name))
  return {
    fiber,
    leads: () => leads,
    elected: Queue.take(led).pipe(Effect.timeout("15 seconds")),
    resign: Effect.andThen(Deferred.succeed(done, name), Fiber.join(fiber))
  }
})

describeOnServers("an election", (it) => {
  it.inChroot(
    "lets a candidate run without waiting, and has no leader when it has resigned (aiozk 22, 23)",
    function* ({ zk }) {
      const sole = yield* candidate(zk, "sole")
      yield* sole.elected
      assert.isTrue(sole.leads())
      assert.strictEqual(nameOf(yield* (yield* election(zk, "onlooker")).leader), "sole")
      assert.strictEqual(yield* sole.resign, "sole")
      assert.isFalse(sole.leads())
      assert.strictEqual(nameOf(yield* (yield* election(zk, "onlooker")).leader), "nobody")
      assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/election"), [])
    }
  )

  it.inChroot(
    "lets the second one wait, and lead after the first, with a larger token (aiozk 24, 25, 26)",
    function* ({ another, zk }) {
      const first = yield* candidate(zk, "first")
      const one = yield* first.elected
      const second = yield* election(yield* another(), "second")
      // Waiting again and again in vain makes no candidate leader, and leaves nothing behind.
      for (let tries = 0; tries < 3; tries++) {
        yield* failure(Effect.scoped(second.acquire({ timeout: 50 })), "LockTimeout")
      }
      yield* eventually(second.participants, (all) => all.length === 1)
      const waiting = yield* Effect.forkChild(Effect.scoped(second.acquire()))
      yield* eventually(second.participants, (all) => all.length === 2)
      yield* first.resign
      assert.isAbove(Number((yield* Fiber.join(waiting)).fencingToken), Number(one.fencingToken))
    }
  )

  it.inChroot(
    "lets ten candidates lead one at a time, all of them in the order of arrival (aiozk 27)",
    function* ({ another, zk }) {
      const clients = [zk, yield* another(), yield* another()]
      const { participants, whileLeader } = yield* election(zk, "x")
      let leading = 0
      const led: Array<number> = []
      const lead = (id: number, { whileLeader }: LeaderElection.LeaderElection) =>
        whileLeader(
          Effect.gen(function* () {
            assert.strictEqual(++leading, 1)
            led.push(id)
            yield* Effect.sleep(1)
            leading--
          })
        )
      const gate = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(whileLeader(Deferred.await(gate)))
      yield* eventually(participants, (all) => all.length === 1)
      const fibers: Array<Fiber.Fiber<void, unknown>> = []
      for (let id = 0; id < 10; id++) {
        const mine = yield* election(clients[id % clients.length]!, String(id))
        fibers.push(yield* Effect.forkChild(lead(id, mine)))
        yield* eventually(participants, (all) => all.length === id + 2)
      }
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(holding)
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepStrictEqual(led, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }
  )

  it.inChroot(
    "runs again on one object, any number of times (aiozk 28, 29 and its defect)",
    function* ({ another, zk }) {
      const mine = yield* election(zk, "mine")
      for (let times = 0; times < 3; times++) assert.strictEqual(yield* mine.whileLeader(Effect.succeed(times)), times)
      // While another leads, standing a second time does not lead.
      const other = yield* candidate(yield* another(), "other")
      yield* other.elected
      let leads = false
      const again = yield* Effect.forkChild(mine.whileLeader(Effect.sync(() => (leads = true))))
      yield* eventually(mine.participants, (all) => all.length === 2)
      assert.isFalse(leads)
      yield* other.resign
      yield* Fiber.join(again)
      assert.isTrue(leads)
    }
  )

  it.inChroot(
    "passes on when the leader's session ends, and the former leader is a candidate again with a new znode (38)",
    function* ({ another, expire, zk }) {
      const other = yield* another()
      const first = yield* candidate(other, "first")
      const leadership = yield* first.elected
      const second = yield* candidate(zk, "second")
      yield* expire(other)
      yield* second.elected
      // A client cannot know that its session was ended from outside before a server tells.
      yield* eventually(Effect.sync(first.leads), (leads) => !leads)
      yield* assertLostWithSession(leadership.lost)
      const names = (yield* (yield* election(zk, "x")).participants).map(({ path }) => path)
      assert.notInclude(names, leadership.path)
      yield* second.resign
      const again = yield* first.elected
      assert.isAbove(Number(again.fencingToken), Number(leadership.fencingToken))
      assert.notStrictEqual(again.path, leadership.path)
      yield* first.resign
      yield* eventually(getChildrenOrNone(zk, "/election"), (left) => left.length === 0)
    }
  )

  it.inChroot(
    "does not promote the candidate behind one that goes away while it waits (38: correct watching)",
    function* ({ another, zk }) {
      const first = yield* candidate(zk, "first")
      yield* first.elected
      const [, close] = yield* closable(candidate(yield* another(), "middle"))
      const last = yield* candidate(yield* another(), "last")
      const onlooker = yield* election(zk, "onlooker")
      yield* eventually(onlooker.participants, (all) => all.length === 3)
      yield* close
      yield* eventually(onlooker.participants, (all) => all.length === 2)
      assert.isFalse(last.leads())
      assert.isTrue(first.leads())
      yield* first.resign
      yield* last.elected
    }
  )

  it.inChroot("replaces a leader whose znode was deleted, and lets it run again", function* ({ another, zk }) {
    const first = yield* candidate(zk, "first")
    const leadership = yield* first.elected
    const second = yield* candidate(yield* another(), "second")
    yield* zk.delete(leadership.path)
    yield* second.elected
    assert.strictEqual((yield* failure(leadership.lost, "LockLost")).reason, "deleted")
    // A former leader's write is refused.
    assert.instanceOf(yield* Effect.flip(leadership.transaction([])), LockLost)
    yield* second.resign
    yield* first.elected
  })

  it.inChroot("survives the deletion of its whole path", function* ({ zk }) {
    const first = yield* candidate(zk, "first")
    yield* first.elected
    yield* zk.deleteAll("/election")
    yield* first.elected
    assert.isTrue(first.leads())
  })

  it.inChroot("keeps its znode through a lost connection, and leads on", function* ({ breakable }) {
    const { link, zk } = yield* breakable()
    const first = yield* candidate(zk, "first")
    const leadership = yield* first.elected
    yield* link.cut
    yield* link.heal
    yield* zk.sync("/")
    assert.isTrue(yield* zk.exists(leadership.path))
    assert.isTrue(first.leads())
  })

  it.inChroot("stops at once with a lost connection, under `onDisconnect: stop`", function* ({ breakable }) {
    const { link, zk } = yield* breakable()
    const first = yield* candidate(zk, "first", { onDisconnect: "stop" })
    const leadership = yield* first.elected
    yield* link.cut
    assert.strictEqual((yield* failure(leadership.lost, "LockLost")).reason, "disconnected")
    assert.isFalse(first.leads())
    yield* link.heal
    yield* first.elected
  })

  it.inChroot("shows the leader, and each later one", function* ({ another, zk }) {
    const onlooker = yield* election(zk, "onlooker")
    const next = Effect.map(yield* pullFrom(onlooker.changes), nameOf)
    assert.strictEqual(yield* next, "nobody")
    const first = yield* candidate(zk, "first")
    assert.strictEqual(yield* next, "first")
    const second = yield* candidate(yield* another(), "second")
    yield* eventually(onlooker.participants, (all) => all.length === 2)
    yield* first.resign
    assert.strictEqual(yield* next, "second")
    yield* second.resign
    assert.strictEqual(yield* next, "nobody")
  })

  it.inChroot("fails as the effect fails, and resigns", function* ({ zk }) {
    const { whileLeader } = yield* election(zk, "x")
    assert.strictEqual(yield* Effect.flip(whileLeader(Effect.fail("no"))), "no")
    assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/election"), [])
  })

  for (const [layout, pattern] of [
    ["latch", /^_c_[0-9a-f-]{36}-latch-\d{10}$/],
    ["selector", /^_c_[0-9a-f-]{36}-lock-\d{10}$/],
    ["kazoo", /^[0-9a-f]{32}__lock__\d{10}$/],
    ["aiozk", /^candidate-[0-9a-f]{32}-\d{10}$/]
  ] as const) {
    it.inChroot(`names its candidates by the layout ${layout}`, function* ({ zk }) {
      const { whileLeader } = yield* election(zk, "x", { layout })
      assert.match(ZnodePath.name(yield* whileLeader(({ path }) => Effect.succeed(path))), pattern)
    })
  }
})
