/** A session on an ensemble of three whose members are killed: the leader under load, and the quorum under readers. */
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { awaitState, connectLive, create, exists, get, set } from "../support/session.ts"
import { now } from "../support/time.ts"

class Ensemble extends Context.Service<Ensemble, ZooKeeperEnsemble.ZooKeeperEnsemble>()("test/Ensemble") {
  // Sessions are local until they own something, so that a server without quorum can serve new ones.
  static readonly layer = Layer.effect(
    Ensemble,
    ZooKeeperEnsemble.make({ localSessions: "upgrading", startTimeout: "90 seconds" })
  )
}

describe("an ensemble of three", () => {
  it.layer(Ensemble.layer, { timeout: "2 minutes", excludeTestServices: true })((it) => {
    const itOnEnsemble = testWith(it.effect, Ensemble)

    itOnEnsemble(
      "whose leader is killed under 64 readers and 8 writers fails no read, and no write but with ConnectionLoss",
      { timeout: 120_000 },
      function* (ensemble) {
        const session = yield* connectLive({ servers: ensemble.connectString, sessionTimeout: "20 seconds" })
        yield* create(session, "/load")
        yield* create(session, "/load/mine", "", 1)
        for (let n = 0; n < 8; n++) yield* create(session, `/load/${n}`, "0")
        const { id } = session.info

        const state = { isOver: false, reads: 0, writes: 0, lost: 0 }
        /** What each writer wrote: the last that was acknowledged, and those after it whose outcome is open. */
        const written = Array.from({ length: 8 }, () => ({ acknowledged: 0, open: new Set<number>() }))

        const reader = Effect.fnUntraced(function* (n: number) {
          const path = `/load/${n % 8}`
          while (!state.isOver) {
            const floor = written[n % 8]!.acknowledged
            const value = Number(yield* get(session, path))
            // One connection at a time and replies in order: what was acknowledged before is seen.
            assert.isAtLeast(value, floor)
            state.reads++
          }
        })
        const writer = Effect.fnUntraced(function* (n: number) {
          const own = written[n]!
          for (let value = 1; !state.isOver; value++) {
            const result = yield* Effect.result(set(session, `/load/${n}`, String(value)))
            if (Result.isSuccess(result)) {
              own.acknowledged = value
              own.open.clear()
              state.writes++
            } else {
              assert.deepInclude({ ...result.failure }, { _tag: "ConnectionLoss", maybeApplied: true })
              own.open.add(value)
              state.lost++
            }
          }
        })
        const readers = yield* Effect.forEach(Array.from({ length: 64 }), (_, n) => Effect.forkChild(reader(n), now))
        const writers = yield* Effect.forEach(Array.from({ length: 8 }), (_, n) => Effect.forkChild(writer(n), now))

        const until = (condition: () => boolean) =>
          Effect.repeat(Effect.sleep("10 millis"), {
            until: condition,
            while: () => !readers.some((f) => f.pollUnsafe())
          })
        yield* until(() => state.writes > 200)
        // The followers lose their leader and all of their clients; the session is affected on any member.
        const leader = yield* ensemble.leader
        yield* leader.kill
        yield* awaitState(session, "Disconnected")
        yield* awaitState(session, "Connected")
        const afterwards = state.writes + 200
        yield* until(() => state.writes > afterwards)
        state.isOver = true
        for (const fiber of [...readers, ...writers]) yield* Fiber.join(fiber)

        assert.strictEqual(session.info.id, id)
        assert.isAbove(state.reads, 1000)
        const other = yield* connectLive({ servers: ensemble.connectString })
        yield* other.request(Operations.sync, { path: "/load" }, "/load")
        for (let n = 0; n < 8; n++) {
          const value = Number(yield* get(other, `/load/${n}`))
          const { acknowledged, open } = written[n]!
          assert.isTrue(value === acknowledged || open.has(value), `${n}: ${value}, acknowledged ${acknowledged}`)
        }
        assert.strictEqual((yield* exists(other, "/load/mine")).stat.ephemeralOwner, id)
        yield* leader.start
        yield* ensemble.awaitQuorum(3)
      }
    )

    itOnEnsemble(
      "of which one is left serves reads within seconds if the client allows it, and has the session back with the quorum",
      { timeout: 120_000 },
      function* (ensemble) {
        yield* ensemble.awaitQuorum(3)
        const session = yield* connectLive({
          servers: ensemble.connectString,
          sessionTimeout: "30 seconds",
          allowReadOnly: true
        })
        yield* create(session, "/kept", "value")
        yield* create(session, "/kept/mine", "", 1)
        const { id } = session.info
        const [first, second, third] = ensemble.servers
        // A server that has seen less than the session refuses it: this one has the writes before the others go.
        yield* Effect.scoped(
          Effect.flatMap(connectLive({ servers: third!.connectString, sessionTimeout: "30 seconds" }), (there) =>
            there.request(Operations.sync, { path: "/" }, "/")
          )
        )
        yield* Effect.all([first!.kill, second!.kill], { concurrency: 2 })
        yield* third!.awaitMode("read-only")
        const start = yield* Clock.currentTimeMillis
        const read = get(session, "/kept")
        assert.strictEqual(yield* read, "value")
        assert.isBelow((yield* Clock.currentTimeMillis) - start, 15_000)
        assert.isTrue(session.info.readOnly)
        assert.strictEqual(session.info.id, id)
        const refused = yield* Effect.flip(set(session, "/kept", "new"))
        assert.deepInclude({ ...refused }, { _tag: "ServerRefused", name: "NotReadOnly", code: -119 })

        yield* first!.launch
        yield* ensemble.awaitQuorum()
        const writable = Effect.repeat(Effect.sleep("20 millis"), {
          until: () => session.info.state._tag === "Connected" && !session.info.readOnly
        })
        yield* writable
        assert.strictEqual(session.info.id, id)
        yield* set(session, "/kept", "new")
        assert.strictEqual(yield* get(session, "/kept"), "new")
        assert.strictEqual((yield* exists(session, "/kept/mine")).stat.ephemeralOwner, id)
      }
    )
  })
})

itLive("a read-only server without local sessions gives no session, and says why", { timeout: 120_000 }, function* () {
  const server = yield* ZooKeeperServer.make({ quorum: true })
  yield* server.kill
  // From now on it waits for a peer that does not exist.
  for (const name of Fs.readdirSync(server.folder)) {
    if (!name.startsWith("zoo.cfg.dynamic")) continue
    Fs.appendFileSync(Path.join(server.folder, name), "\nserver.2=127.0.0.1:1:2:participant;127.0.0.1:3\n")
  }
  yield* server.launch
  yield* server.awaitMode("read-only")
  const connecting = connectLive({
    servers: server.connectString,
    allowReadOnly: true,
    connectTimeout: "2 seconds"
  })
  const error = yield* failure(connecting, "ConnectFailed")
  assert.include(error.message, `${server.connectString}: the server refused the session with NotReadOnly (-119)`)
})
