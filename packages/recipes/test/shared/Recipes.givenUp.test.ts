/**
 * Watches that no server takes again, and reads that each drops: after eight lost connections they are given up, and a caller
 * that waits for them gets an error, instead of waiting for ever.
 */
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { MAX_LOSSES } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RecipeError } from "../../src/Errors.ts"
import * as LeaderElection from "../../src/LeaderElection.ts"
import * as Lock from "../../src/Lock.ts"
import * as NodeCache from "../../src/NodeCache.ts"
import * as TreeCache from "../../src/TreeCache.ts"
import { watchingWays } from "../support/caches.ts"
import { assertConnectionStays, connectAnother, itOnEmbedded } from "../support/embedded.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import { eventually, now, pullFrom, withClient } from "../support/targets.ts"

/** From now on the server closes on each packet that registers watches of the client again. */
const refuseWatches = Effect.gen(function* () {
  const server = yield* EmbeddedServer.EmbeddedServer
  const { session } = yield* ZooKeeper.ZooKeeper
  for (const operation of ["setWatches", "setWatches2"]) {
    yield* server.dropRequest({ operation, session: session.id }, 1000)
  }
  yield* server.disconnectAll
})

const assertGivenUp = (error: unknown, path: string): void => {
  if (!(error instanceof ConnectionLoss)) return assert.fail(`not given up, but ${String(error)}`)
  assert.deepInclude({ ...error }, { path, losses: MAX_LOSSES, maybeApplied: false })
  assert.include(error.message, `${MAX_LOSSES} connections were lost`)
  assert.include(error.message, "jute.maxbuffer")
  assert.isTrue(Outcome.isGivenUp(error))
}

/** The client with what is told when somebody waits for a watch on data. */
const noticing = (zk: ZooKeeper.Service) => {
  let isWaiting = false
  const noticed: ZooKeeper.Service = {
    ...zk,
    getAndWatch: (path) =>
      Effect.map(zk.getAndWatch(path), (seen) => ({
        ...seen,
        changed: Effect.suspend(() => {
          isWaiting = true
          return seen.changed
        })
      }))
  }
  return {
    zk: noticed,
    waiting: eventually(
      Effect.sync(() => isWaiting),
      (is) => is
    )
  }
}

describe("a watch that no server takes again, seen through a chroot", () => {
  itOnEmbedded("fails with the path of the view and the limit, and the session goes on", function* ({ zk: root }) {
    yield* root.createWithParents("/app/a")
    const zk = yield* root.withChroot("/app")
    const { id } = zk.session
    const data = yield* zk.getAndWatch("/a")
    const changed = yield* Effect.forkChild(Effect.flip(data.changed), now)
    yield* refuseWatches
    assertGivenUp(yield* Fiber.join(changed), "/a")
    assert.isTrue(yield* zk.exists("/a"))
    assert.strictEqual(zk.session.id, id)
  })

  itOnEmbedded("ends events so", function* ({ zk: root }) {
    yield* root.createWithParents("/app/a")
    const zk = yield* root.withChroot("/app")
    const ready = yield* Deferred.make<void>()
    const events = zk.events("/a", { recursive: true, onReady: () => Deferred.doneUnsafe(ready, Effect.void) })
    const end = yield* Effect.forkChild(Effect.flip(Stream.runDrain(events)), now)
    yield* Deferred.await(ready)
    yield* refuseWatches
    assertGivenUp(yield* Fiber.join(end), "/a")
  })

  const states: ReadonlyArray<readonly [string, (zk: ZooKeeper.Service) => Stream.Stream<unknown, Error>]> = [
    ["dataChanges", (zk) => zk.dataChanges("/a")],
    ["childrenChanges", (zk) => zk.childrenChanges("/a")]
  ]
  for (const [name, changes] of states) {
    itOnEmbedded(`ends ${name} so`, function* ({ zk: root }) {
      yield* root.createWithParents("/app/a")
      const zk = yield* root.withChroot("/app")
      const seen = yield* Deferred.make<void>()
      const told = Stream.runForEach(changes(zk), () => Deferred.succeed(seen, undefined))
      const end = yield* Effect.forkChild(Effect.flip(told), now)
      yield* Deferred.await(seen)
      yield* refuseWatches
      assertGivenUp(yield* Fiber.join(end), "/a")
    })
  }
})

describe("a cache whose watch no server takes again", () => {
  type Make = (
    zk: ZooKeeper.Service
  ) => Effect.Effect<Pick<NodeCache.NodeCache, "changes" | "freshness">, RecipeError, Scope.Scope>
  const caches: ReadonlyArray<readonly [string, Make]> = [
    ["NodeCache", (zk) => withClient(zk)(NodeCache.make("/a", { jitter: 0 }))],
    ["TreeCache", (zk) => withClient(zk)(TreeCache.make("/a", { jitter: 0 }))]
  ]
  for (const [name, make] of caches) {
    for (const [how, mode] of watchingWays) {
      itOnEmbedded(`ends its changes so, a ${name} by ${how}`, function* ({ zk: root }) {
        yield* root.createWithParents("/app/a", { data: "x" })
        const zk = mode(yield* root.withChroot("/app"))
        const cache = yield* make(zk)
        const end = yield* Effect.forkChild(Effect.flip(Stream.runDrain(cache.changes)), now)
        yield* refuseWatches
        assertGivenUp(yield* Fiber.join(end), "/a")
        assert.strictEqual(cache.freshness, "lost")
      })
    }
  }
})

describe("a cache whose reads a server drops each time", () => {
  itOnEmbedded("says so, and leaves the connection alone for some time", function* ({ server, zk }) {
    yield* zk.create("/a", { data: "x" })
    const cache = yield* NodeCache.make("/a", { jitter: 0 })
    const unreadable = yield* pullFrom(Stream.filter(cache.changes, ({ _tag }) => _tag === "Unreadable"))
    for (const operation of ["exists", "getData"]) {
      yield* server.dropRequest({ operation, session: zk.session.id }, 1000)
    }
    yield* zk.set("/a", "y")
    yield* unreadable
    // A look that was asked for meanwhile costs eight more.
    yield* Effect.sleep(600)
    yield* zk.sync("/")
    yield* assertConnectionStays(zk, 2000)
  })
})

describe("a caller that waits for a watch that no server takes again", () => {
  itOnEmbedded("fails to get the lock, leaves no znode, and blocks no other contender", function* ({ zk: client }) {
    const other = yield* connectAnother
    const holder = yield* withClient(other)(Lock.make("/lock"))
    const { path } = yield* holder.acquire()
    const { waiting, zk } = noticing(client)
    const lock = yield* withClient(zk)(Lock.make("/lock"))
    const acquiring = yield* Effect.forkChild(Effect.flip(Effect.scoped(lock.acquire())), now)
    yield* waiting
    yield* refuseWatches
    assertGivenUp(yield* Fiber.join(acquiring), path)
    yield* eventually(other.getChildren("/lock"), (names) => names.length === 1)
  })

  itOnEmbedded("fails to join the election, and leaves no znode", function* ({ zk: client }) {
    const other = yield* connectAnother
    const leading = yield* withClient(other)(LeaderElection.make("/office"))
    const leader = yield* Effect.forkScoped(leading.whileLeader(Effect.never))
    const leadership = getChildrenOrNone(other, "/office")
    const [name] = yield* eventually(leadership, (names) => names.length === 1)
    const { waiting, zk } = noticing(client)
    const election = yield* withClient(zk)(LeaderElection.make("/office"))
    const standing = yield* Effect.forkChild(Effect.flip(election.whileLeader(Effect.void)), now)
    yield* waiting
    yield* refuseWatches
    assertGivenUp(yield* Fiber.join(standing), `/office/${name}`)
    yield* eventually(leadership, (names) => names.length === 1)
    assert.isUndefined(leader.pollUnsafe())
  })
})
