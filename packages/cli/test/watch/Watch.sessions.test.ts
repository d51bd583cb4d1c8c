/** The session of a watch: another follows after an expiry, and none is left when it is stopped. */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { start } from "../support/processes.ts"
import { makeLive, run } from "../support/zk.ts"

const onServer = <A, E>(test: (server: EmbeddedServer.EmbeddedServer["Service"]) => Effect.Effect<A, E, never>) =>
  Effect.flatMap(EmbeddedServer.EmbeddedServer, test).pipe(
    Effect.provide(EmbeddedServer.layer({ tickTime: "500 millis" }))
  )

const expireAll = (server: EmbeddedServer.EmbeddedServer["Service"]) =>
  Effect.flatMap(server.sessions, (sessions) => Effect.forEach(sessions, ({ id }) => server.expireSession(id)))

describe("the session of a watch", () => {
  for (const [command, more] of [
    ["watch", "gap"],
    ["tail", "events may have been missed"]
  ] as const) {
    it.live(`that expires is followed by another, and ${command} goes on`, () =>
      onServer((server) =>
        Effect.scoped(
          Effect.gen(function* () {
            const env = { ZK_SERVERS: server.connectString }
            const zk = (...args: ReadonlyArray<string>) => run(args, { env })
            yield* zk("create", "/a", "one")
            yield* zk("create", "/a/b", "two")
            const live = yield* makeLive((onOut) => run([command, "/a"], { env, onOut }))
            yield* live.sees(command === "watch" ? "one" : "two")
            yield* expireAll(server)
            yield* live.sees(more)
            yield* zk("create", "/a/later", "three")
            yield* live.sees("later")
            assert.strictEqual((yield* server.sessions).length, 1)
          })
        )
      )
    )
  }

  it.live(
    "ends with it, on Ctrl-C and on SIGTERM",
    () =>
      onServer((server) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* run(["create", "/a", "one"], { env: { ZK_SERVERS: server.connectString } })
            for (const [command, signal] of [
              ["watch", "SIGINT"],
              ["tail", "SIGTERM"]
            ] as const) {
              const { child, end } = yield* start(server.connectString, [command, "/", "-n", "1"])
              yield* Effect.promise(() => new Promise((resolve) => child.stdout?.once("data", resolve)))
              assert.strictEqual((yield* server.sessions).length, 1)
              child.kill(signal)
              yield* end
              assert.deepStrictEqual(yield* server.sessions, [])
            }
          })
        )
      ),
    90_000
  )
})
