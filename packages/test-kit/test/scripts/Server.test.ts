import { Acl } from "@effect-zookeeper/client"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { outcome } from "../../src/Expectations.ts"
import { freePorts } from "../../src/internal/server/ports.ts"
import * as Command from "../support/command.ts"

/** Creates a znode that only the super user may read, as another user. */
const closed = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const path = yield* zk.create("/closed-", { mode: "persistentSequential", acl: [Acl.ip("10.0.0.1", "r")] })
  return { path, timeout: zk.session.timeout, reading: yield* outcome(zk.get(path)) }
})

describe("the command server", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    itLive(`serves clients, and ends on ${signal}`, function* () {
      const [port = 0] = yield* freePorts(1)
      const child = yield* Command.start("server", "--port", String(port))
      const servers = yield* Command.firstLine(child)
      assert.strictEqual(servers, `127.0.0.1:${port}`)
      const seen = yield* Effect.provide(closed, ZooKeeper.layer({ servers, sessionTimeout: "1 second" }))
      assert.deepStrictEqual(seen, { path: "/closed-0000000000", timeout: 4_000, reading: "NoAuth" })
      yield* Command.stop(child, signal)
      const gone = ZooKeeper.layer({ servers, connectTimeout: "300 millis" })
      assert.strictEqual(yield* outcome(Effect.provide(closed, gone)), "ConnectFailed")
    })
  }

  itLive("takes a tick, a super user and several members", function* () {
    const child = yield* Command.start("server", "--tick", "1000", "--super", "ann:hers", "--members", "2")
    const servers = yield* Command.firstLine(child)
    assert.match(servers, /^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/)
    const auth = [{ scheme: "digest", credentials: Redacted.make("ann:hers") }]
    const seen = yield* Effect.provide(closed, ZooKeeper.layer({ servers, auth, sessionTimeout: "100 millis" }))
    assert.deepStrictEqual(seen, { path: "/closed-0000000000", timeout: 2_000, reading: "success" })
  })

  itLive("says in one line what is wrong with an option, or with the port", function* () {
    const taken = yield* Command.firstLine(yield* Command.start("server"))
    const port = taken.split(":")[1] ?? ""
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: RegExp]> = [
      [["--port", port], /^127\.0\.0\.1:\d+: cannot listen there \(.*EADDRINUSE.*\); choose another port, .*\n$/],
      [["--port", "70000"], /^--port 70000: expected a whole number from 0 to 65535\n$/],
      [["--port", "http"], /^--port http: expected .*\n$/],
      [["--tick", "0"], /^--tick 0: expected .*\n$/],
      [["--super", "nobody"], /^--super: expected user:password.*\n$/],
      [["--host", "0.0.0.0"], /^--host 0\.0\.0\.0: .* super:secret; add --super user:password .*, or --super none\n$/]
    ]
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = yield* Command.run("server", args)
      assert.match(stderr, message)
      assert.deepStrictEqual([code, stdout], [1, ""])
    }
  })

  itLive("says what it is and that it keeps nothing, and explains its options", function* () {
    const { code, stdout } = yield* Command.run("server", ["--help"])
    assert.strictEqual(code, 0)
    for (const word of ["keeps nothing", "--port", "--tick", "--super", "--host", "--members"]) {
      assert.include(stdout, word)
    }
  })
})
