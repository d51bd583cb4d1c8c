/**
 * The first calls of new sessions, on whatever release the real server is of. A server that is too old for an operation closes
 * the connection on which it was asked: no call may see that.
 */
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { eachAtOnce, inScope } from "@effect-zookeeper/test-kit/Expectations"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ZooKeeper } from "../../src/index.ts"
import { connect, itInChroot, numbersBelow, refused } from "../support/clients.ts"

describe("the first call of a session", () => {
  const calls: Record<string, (zk: ZooKeeper.Service, path: string) => Effect.Effect<unknown, unknown>> = {
    createWithStat: (zk, path) => zk.createWithStat(path, { data: "x" }),
    createOrSet: (zk, path) => zk.createOrSet(path, "x"),
    createWithParents: (zk, path) => zk.createWithParents(`${path}/b/c`, { data: "x" }),
    ensurePath: (zk, path) => zk.ensurePath(`${path}/b/c`)
  }
  for (const [name, call] of Object.entries(calls)) {
    itInChroot(`succeeds if it is ${name}`, function* ({ chroot, zk }) {
      for (const n of numbersBelow(10)) {
        const servers = TestServer.connectString() + chroot
        yield* Effect.scoped(Effect.flatMap(connect({ servers }), (client) => call(client, `/${n}`)))
        assert.isTrue(yield* zk.exists(`/${n}`))
      }
    })
  }
})

describe("a watch that ends", () => {
  itInChroot("costs no write beside it", function* ({ chroot }) {
    for (const n of numbersBelow(10)) {
      yield* inScope(function* () {
        const zk = yield* connect({ servers: TestServer.connectString() + chroot })
        yield* zk.create(`/${n}`)
        const watching = yield* Effect.forkChild(Stream.runHead(zk.dataChanges(`/${n}`)))
        const writing = eachAtOnce(numbersBelow(20), (k) => zk.set(`/${n}`, `${k}`))
        yield* writing
        yield* Fiber.join(watching)
        yield* writing
        assert.strictEqual((yield* zk.get(`/${n}`)).stat.version, 40)
      })
    }
  })
})

describe("a session that moves to another release", () => {
  itLive("is served there, and an events stream goes on or ends with ServerRefused", function* () {
    const context = yield* Layer.build(EmbeddedServer.layer())
    const zk = yield* connect({ servers: Context.get(context, EmbeddedServer.EmbeddedServer).connectString })
    const seen: Array<string> = []
    const path = TestServer.freshPath("moved")
    const events = yield* Effect.forkChild(
      Stream.runForEach(
        Stream.takeUntil(zk.events(path), ({ type }) => type === "NodeDeleted"),
        ({ type }) => Effect.sync(() => void seen.push(type))
      )
    )
    yield* zk.sync()
    yield* zk.updateServers(TestServer.connectString())
    // The other server does not know the session: a new one begins.
    yield* Effect.eventually(Effect.timeout(zk.create(path), "5 seconds"))
    for (const _ of numbersBelow(20)) assert.isTrue(yield* Effect.timeout(zk.exists(path), "10 seconds"))
    yield* zk.delete(path)
    const ended = Effect.timeout(Fiber.join(events), "10 seconds")
    if (!TestServer.isAtLeast("3.6.0")) return yield* refused(ended)
    yield* ended
    assert.include(seen, "Gap")
  })
})
