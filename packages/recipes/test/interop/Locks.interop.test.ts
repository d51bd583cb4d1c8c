/**
 * Processes of three languages share paths: Debian's Curator, Debian's kazoo, and ours. Each takes its turns as fast as it
 * can, and each looks whether another is there where none may be.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Counter from "../../src/Counter.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { withClient, eventually, atOnce, inScope } from "../support/targets.ts"
import { alone, curator, hasCurator, hasKazoo, kazoo, reading, together, writing } from "./support/peers.ts"

const TURNS = process.env["ZK_LONG"] === "1" ? 200 : 6

const connect = clientOf(ZooKeeper.layer({ servers: TestServer.connectString() }))

/** A path with a place beside it for those who may be there together. */
const shared = Effect.fnUntraced(function* (name: string) {
  const zk = yield* connect
  const path = TestServer.freshPath(name)
  yield* zk.create(`${path}-readers`)
  return { zk, path }
})

/** Our holders, one after another; the clashes they saw. */
const turns = <E>(turn: Effect.Effect<number, E>, count = TURNS) =>
  Effect.map(Effect.all(Array.from({ length: count }, () => turn)), (clashes) => clashes.reduce((a, b) => a + b, 0))

/** All at the same time, without a clash. */
const noClash = (all: ReadonlyArray<Effect.Effect<number, unknown>>) =>
  Effect.map(atOnce(all), (clashes) =>
    assert.deepStrictEqual(
      clashes,
      all.map(() => 0)
    )
  )

// Two virtual machines and a compiler take their time where other tests run.
const PATIENCE = 120_000

describe.skipIf(!hasCurator || !hasKazoo)(
  "Curator, kazoo and ours (needs Curator and kazoo)",
  { timeout: PATIENCE },
  () => {
    itLive("share a lock in turn", function* () {
      const { path, zk } = yield* shared("interop")
      const server = TestServer.connectString()
      const [java, python] = yield* Effect.all([curator(server), kazoo(server)], { concurrency: 2 })
      const lock = yield* withClient(zk)(Lock.make(path))
      yield* noClash([
        java.turns("lock", path, TURNS),
        python.turns("lock", path, TURNS),
        turns(lock.withLock(alone(zk, path))),
        turns(lock.withLock(alone(zk, path)))
      ])
      assert.deepStrictEqual(yield* lock.contenders, [])
    })
  }
)

describe.skipIf(!hasKazoo)("kazoo as it is, and ours (needs kazoo)", { timeout: PATIENCE }, () => {
  for (const layout of ["curator", "kazoo", "go"] as const) {
    itLive(`share a lock, ours by the layout ${layout}`, function* () {
      const { path, zk } = yield* shared("kazoo")
      const python = yield* kazoo(TestServer.connectString())
      const lock = yield* withClient(zk)(Lock.make(path, { layout }))
      yield* noClash([python.turns("own", path, TURNS), turns(lock.withLock(alone(zk, path)))])
    })
  }
})

describe.skipIf(!hasCurator)("Curator and ours (needs Curator)", { timeout: PATIENCE }, () => {
  itLive("ask each other to give a lock back", function* () {
    const java = yield* curator(TestServer.connectString())
    const { path, zk } = yield* shared("revocation")
    const lock = yield* withClient(zk)(Lock.make(path, { onRevoke: "stop" }))
    const theirs = yield* Effect.forkChild(java.turns("revocable", path, 1))
    // Curator does not hear a request that came before it has the lock.
    const ask = Effect.andThen(
      lock.revoke(),
      Effect.sync(() => theirs.pollUnsafe())
    )
    yield* eventually(ask, (exit) => exit !== undefined)
    assert.strictEqual(yield* Fiber.join(theirs), 0)
    const ours = yield* Effect.forkChild(Effect.flip(lock.withLock(Effect.never)))
    yield* eventually(lock.contenders, (all) => all.length === 1)
    assert.strictEqual(yield* java.turns("revoke", path, 1), 0)
    assert.deepInclude(yield* Fiber.join(ours), { _tag: "LockLost", reason: "revoked" })
  })

  itLive("share a read-write lock, an election, a semaphore and a counter", function* () {
    const server = TestServer.connectString()
    // A JVM each: Curator blocks.
    const [one, two] = yield* Effect.all([curator(server), curator(server)], { concurrency: 2 })

    const rw = yield* shared("rw")
    const { read, write } = yield* withClient(rw.zk)(ReadWriteLock.make(rw.path))
    yield* noClash([
      one.turns("read", rw.path, TURNS),
      two.turns("write", rw.path, TURNS),
      turns(read.withLock(reading(rw.zk, rw.path))),
      turns(write.withLock(writing(rw.zk, rw.path))),
      turns(Effect.scoped(Effect.andThen(write.withLock(read.acquire()), reading(rw.zk, rw.path))))
    ])

    // Curator's writer is behind ours, which becomes a reader: it waits for that too.
    let waiting = yield* Effect.forkChild(Effect.succeed(0))
    yield* inScope(function* () {
      const held = yield* write.withLock(
        Effect.gen(function* () {
          waiting = yield* Effect.forkDetach(two.turns("write", rw.path, 1))
          yield* eventually(rw.zk.getChildren(rw.path), (names) => names.length === 2)
          return yield* read.acquire({ timeout: 0 })
        })
      )
      yield* Effect.sleep(300)
      assert.isUndefined(waiting.pollUnsafe())
      assert.isTrue(yield* rw.zk.exists(held.path))
    })
    assert.strictEqual(yield* Fiber.join(waiting), 0)

    const leadership = yield* shared("leader")
    const { whileLeader } = yield* withClient(leadership.zk)(LeaderElection.make(leadership.path))
    yield* noClash([
      one.turns("leader", leadership.path, TURNS),
      two.turns("leader", leadership.path, TURNS),
      turns(whileLeader(alone(leadership.zk, leadership.path)))
    ])

    const room = yield* shared("semaphore")
    const { withPermit } = yield* withClient(room.zk)(Semaphore.make(room.path, { permits: 2 }))
    yield* noClash([
      one.turns("semaphore", room.path, TURNS),
      two.turns("semaphore", room.path, TURNS),
      turns(withPermit(together(room.zk, room.path, 2))),
      turns(withPermit(together(room.zk, room.path, 2)))
    ])

    const sum = yield* shared("counter")
    const counter = yield* withClient(sum.zk)(Counter.make(sum.path))
    yield* noClash([
      one.turns("counter", sum.path, TURNS),
      two.turns("counter", sum.path, TURNS),
      turns(Effect.as(counter.increment, 0))
    ])
    assert.strictEqual(yield* counter.get, BigInt(3 * TURNS))
  })
})
