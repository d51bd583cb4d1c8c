import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestServer from "../src/TestServer.ts"
import * as ZooKeeperServer from "../src/ZooKeeperServer.ts"
import * as ZooKeeperEnsemble from "../src/ZooKeeperEnsemble.ts"
import * as Exit from "effect/Exit"
import * as Fs from "node:fs"
import * as Scope from "effect/Scope"

describe("the shared server", () => {
  it("is provided", () => {
    assert.match(TestServer.connectString(), /^127\.0\.0\.1:\d+$/)
    assert.notStrictEqual(TestServer.fresh("a").chroot, TestServer.fresh("a").chroot)
  })
})

describe("a server of one's own", () => {
  it.live("starts, is killed, starts again on the same port, and ends with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(ZooKeeperServer.make(), scope)
      assert.strictEqual(yield* server.mode, "standalone")
      const first = yield* server.pid
      assert.isTrue(Fs.existsSync(`/proc/${first}`))
      yield* server.kill
      assert.strictEqual(yield* server.mode, "down")
      assert.strictEqual(yield* server.pid, undefined)
      yield* server.start
      assert.strictEqual(yield* server.fourLetterWord("ruok"), "imok")
      assert.notStrictEqual(yield* server.pid, first)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* server.mode, "down")
      assert.isFalse(Fs.existsSync(server.folder))
    })
  )
})
describe("an ensemble", () => {
  it.live("elects and re-elects", () =>
    Effect.gen(function* () {
      const ensemble = yield* ZooKeeperEnsemble.make()
      const leader = yield* ensemble.leader
      assert.lengthOf(yield* ensemble.followers, 2)
      yield* leader.kill
      yield* ensemble.awaitQuorum()
      assert.notStrictEqual((yield* ensemble.leader).id, leader.id)
      yield* leader.start
      assert.strictEqual(yield* leader.mode, "follower")
    })
  )
})
