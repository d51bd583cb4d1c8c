/** The list of servers that follows the ensemble's configuration. */
import * as Session from "@effect-zookeeper/session/Session"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import * as Redacted from "effect/Redacted"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { serversOf } from "../../src/internal/followConfig.ts"
import { parseConfig } from "../../src/internal/operations/reconfig.ts"
import * as ZooKeeper from "../../src/ZooKeeper.ts"
import { connect, failure } from "../support/clients.ts"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const servers = (...lines: ReadonlyArray<string>) => serversOf(parseConfig(bytes(lines.join("\n"))))

describe("the servers of an ensemble's configuration", () => {
  it("are the addresses that they announce to clients", () => {
    assert.deepStrictEqual(
      servers(
        "server.1=zk1:2888:3888:participant;zk1.example:2181",
        "server.2=zk2:2888:3888:observer;[2001:db8::2]:2182",
        "version=100000000"
      ),
      Result.succeed("zk1.example:2181,[2001:db8::2]:2182")
    )
  })

  it("are the hosts at which others reach them, where they listen on all addresses", () => {
    assert.deepStrictEqual(
      servers(
        "server.1=zk1:2888:3888:participant;0.0.0.0:2181",
        "server.2=[2001:db8::2]:2888:3888;2181",
        "server.3=zk3:2888:3888|zk3.other:2888:3888:participant;[::]:2183"
      ),
      Result.succeed("zk1:2181,[2001:db8::2]:2181,zk3:2183,zk3.other:2183")
    )
  })

  it("are no list where one of them announces no port, or there are none", () => {
    assert.isTrue(
      Result.isFailure(servers("server.1=zk1:2888:3888;2181", "server.2=zk2:2888:3888:participant", "version=0"))
    )
    assert.isTrue(Result.isFailure(servers("")))
  })
})

/** A client whose session shows these configurations, one after the other, and tells the lists that it is given. */
const following = Effect.fnUntraced(function* (...configs: ReadonlyArray<string>) {
  const lists: Array<string> = []
  const done = yield* Deferred.make<void>()
  let shown = 0
  yield* makeScriptedClient(() => Effect.succeed({}), {
    followConfig: true,
    session: {
      updateServers: (list) => Effect.sync(() => void lists.push(list)),
      watchData: ({ server }) =>
        Effect.gen(function* () {
          assert.strictEqual(server, "/zookeeper/config")
          const text = configs[shown++]
          if (text === undefined) {
            yield* Deferred.succeed(done, undefined)
            return yield* Effect.never
          }
          const response = { data: bytes(text), stat: { ...stat, mzxid: BigInt(shown) } }
          return { response, changed: Effect.succeed({ type: "NodeDataChanged", path: server } as never) }
        })
    }
  })
  yield* Deferred.await(done)
  return lists
})

describe("a client that follows the configuration", () => {
  itEffect("takes each new list once, and keeps it where a configuration has none", function* () {
    const one = "server.1=zk1:2888:3888;2181"
    const lists = yield* following(one, `${one}\nversion=2`, "", `${one}\nserver.2=zk2:2888:3888;2181`, one)
    assert.deepStrictEqual(lists, ["zk1:2181", "zk1:2181,zk2:2181", "zk1:2181"])
  })

  itEffect("does not follow it where it asks for nothing", function* () {
    yield* makeScriptedClient(() => Effect.succeed({}), { session: { watchData: () => Effect.die("watched") } })
  })

  itEffect("reads it again after about a minute where a server refuses that", function* () {
    const lists: Array<string> = []
    let reads = 0
    yield* makeScriptedClient(() => Effect.succeed({}), {
      followConfig: true,
      session: {
        updateServers: (list) => Effect.sync(() => void lists.push(list)),
        watchData: () =>
          Effect.suspend(() => {
            if (reads++ === 0)
              return Effect.fail(new ServerRefused({ operation: "getData", path: "/", code: -102, name: "NoAuth" }))
            const response = { data: bytes("server.1=zk1:2888:3888;2181"), stat }
            return Effect.succeed({ response, changed: Effect.never })
          })
      }
    })
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual([reads, lists], [1, []])
    yield* TestClock.adjust("72 seconds")
    assert.deepStrictEqual(lists, ["zk1:2181"])
  })

  const itLive = TestServer.since("3.5.0", testWith(it.live, Effect.void))

  itLive("is refused with TLS, and for a value that is no boolean", function* () {
    const tls = {}
    for (const options of [{ servers: "tls://localhost:1" }, { servers: "localhost:1", tls }]) {
      const refused = () =>
        failure(Effect.scoped(connect({ ...options, followConfig: true, connectTimeout: 100 })), "InvalidArgument")
      // Each with an error of its own, whose stack is that of the call.
      assert.notStrictEqual(yield* refused(), yield* refused())
    }
  })

  itLive("is refused with the TLS of a transport of its own", function* () {
    const client = ZooKeeper.layerSession({ followConfig: true }).pipe(
      Layer.provide(Session.layer({ servers: "localhost:1", firstConnection: "background" })),
      Layer.provide(Transport.layer({ tls: {} }))
    )
    yield* failure(Effect.scoped(Layer.build(client)), "InvalidArgument")
  })

  itLive("finds the other members when the only one that it was given is gone", { timeout: 120_000 }, function* () {
    const { servers: members } = yield* ZooKeeperEnsemble.make({ startTimeout: "90 seconds" })
    const [first] = members
    const options = {
      servers: first!.connectString,
      sessionTimeout: "20 seconds",
      retry: Schedule.spaced(100)
    } as const
    const zk = yield* connect({ ...options, chroot: "/app", followConfig: true })
    const { id } = zk.session
    yield* zk.ensurePath("/")
    yield* Effect.sleep(500)
    yield* first!.kill
    yield* zk
      .create("/a")
      .pipe(Effect.retry({ schedule: Schedule.spaced(100), while: ({ _tag }) => _tag === "ConnectionLoss" }))
    assert.strictEqual(zk.session.id, id)
  })

  itLive("uses a member that joins, and leaves one that is removed", { timeout: 120_000 }, function* () {
    const ensemble = yield* ZooKeeperEnsemble.make({ spares: 1, startTimeout: "90 seconds" })
    const [first] = ensemble.servers
    const [spare] = ensemble.spares
    const zk = yield* connect({ servers: first!.connectString, sessionTimeout: "20 seconds", followConfig: true })
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    yield* spare!.server.launch
    const again = Schedule.spaced(200)
    yield* zk.reconfigure({ joining: [spare!.joining] }).pipe(Effect.retry(again), Effect.timeout("60 seconds"))
    yield* zk
      .reconfigure({ leaving: [1] })
      .pipe(Effect.retry({ schedule: again, times: 20 }), Effect.ignore, Effect.timeout("60 seconds"))
    yield* first!.kill
    const here = Effect.map(zk.whoAmI, () => zk.session.server)
    const server = yield* Effect.retry(here, again)
    assert.notInclude(JSON.stringify(server), first!.connectString.split(":")[1]!)
  })
})
