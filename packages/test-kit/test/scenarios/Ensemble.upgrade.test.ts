/**
 * An ensemble that goes from one release to another member by member, under load and with its data. `ZOOKEEPER_HOME` has the
 * release from which it comes, `ZOOKEEPER_UPGRADE` the other one: `npx -y pnpm@12 test:servers --suite upgrade` sets both.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { gather, text } from "../../src/Expectations.ts"
import { isAtLeast, reportedRelease } from "../../src/Release.ts"
import * as TestServer from "../../src/TestServer.ts"
import * as ZooKeeperEnsemble from "../../src/ZooKeeperEnsemble.ts"
import type { ZooKeeperServer } from "../../src/ZooKeeperServer.ts"
import {
  acquireLock,
  assertKept,
  awaitAllFired,
  changeAll,
  connect,
  COUNT,
  createAll,
  keepWriting,
  share,
  timed,
  until,
  watchAll
} from "../support/watching.ts"

const newHome = process.env["ZOOKEEPER_UPGRADE"] ?? ""

const title = `from ${TestServer.release()}, loses no session, no watch and no acknowledged write`

const releaseOf = ({ fourLetterWord }: ZooKeeperServer) => Effect.map(fourLetterWord("srvr"), reportedRelease)

describe("an ensemble that is upgraded member by member", () => {
  it.live.skipIf(newHome === "")(
    newHome === "" ? `${title} (needs ZOOKEEPER_UPGRADE)` : title,
    () =>
      Effect.gen(function* () {
        const former = TestServer.release()
        const ensemble = yield* ZooKeeperEnsemble.make({
          staticMembers: true,
          tickTime: 200,
          startTimeout: "90 seconds",
          // A member of 3.4 that has only followed may have no snapshot, and since 3.5.5 servers refuse to start with logs alone.
          config: isAtLeast(former, "3.5.5") ? [] : ["snapshot.trust.empty=true"]
        })
        const servers = ensemble.connectString
        const clients = yield* Effect.forEach(["1", "2", "3"], (name) =>
          Effect.flatMap(connect({ servers, sessionTimeout: "20 seconds" }), (client) => acquireLock(client, name))
        )
        const [writer, watcher, other] = [clients[0]!, clients[1]!, clients[2]!]
        const ids = clients.map(({ zk }) => zk.session.id)
        yield* createAll(other, "/tree", COUNT)
        const watching = yield* watchAll(watcher, "/tree", COUNT)
        const written = yield* keepWriting(writer, "/register")
        const shown: ReadonlyArray<string> = yield* gather(
          Stream.map(watcher.zk.dataChanges("/register"), (state) => text(Option.getOrThrow(state).data))
        )
        const events: ReadonlyArray<string> = isAtLeast(former, "3.6.0")
          ? yield* gather(Stream.map(watcher.zk.events("/tree", { recursive: true }), ({ type }) => type))
          : []
        const releases = new Set<string | undefined>()
        const took = yield* timed(
          Effect.forEach(
            ensemble.servers,
            (server, n) =>
              Effect.gen(function* () {
                assert.strictEqual(yield* releaseOf(server), former)
                yield* server.restartAs(newHome)
                releases.add(yield* releaseOf(server))
                yield* ensemble.awaitQuorum(3)
                yield* changeAll(other, "/tree", share(n, 4), share(n + 1, 4))
              }),
            { discard: true }
          )
        )
        yield* changeAll(other, "/tree", share(3, 4), COUNT)
        const [newer, ...more] = releases
        assert.isEmpty(more)
        assert.isTrue(newer !== undefined && newer !== former && isAtLeast(newer, former), newer)

        const writes = yield* written.stop
        yield* awaitAllFired(watching)
        for (const [n, client] of clients.entries()) yield* assertKept(client, ids[n]!, `${n + 1}`)
        yield* watcher.zk.sync("/")
        assert.lengthOf(yield* watcher.zk.getChildren("/tree"), COUNT)
        const last = text(yield* watcher.zk.getData("/register"))
        assert.isTrue(yield* until(() => shown.at(-1) === last))
        const numbers = shown.filter((shown) => shown !== "").map(Number)
        assert.deepStrictEqual(
          numbers,
          numbers.toSorted((a, b) => a - b)
        )
        if (isAtLeast(former, "3.6.0")) {
          const before = events.length
          yield* other.zk.set("/tree", "last")
          assert.isTrue(yield* until(() => events.slice(before).includes("NodeDataChanged")))
        }
        console.log(
          `${former} to ${newer} in ${took} ms: 0 of ${clients.length} sessions lost, ${writes}, ${COUNT} watches told`
        )
      }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "Error")),
    300_000
  )
})
