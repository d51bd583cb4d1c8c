/** The client of the prompt, whose lines share one session. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { makeShared } from "../../src/internal/around/promptClient.ts"
import { settingsOf } from "../support/settings.ts"
import { describeOnServers } from "../support/zk.ts"

const settingsIn = (servers: string, chroot: string) => ({
  ...settingsOf(servers),
  chroot,
  timeout: Duration.seconds(1)
})

const ann = { scheme: "digest", credentials: Redacted.make("ann:secret") }

describeOnServers("the client of the prompt", (it) => {
  it.inChroot("fails in the middle of a command that waits for its servers", function* ({ chroot, link, zk }) {
    yield* zk.create("/app", { data: "data" })
    const broken = yield* link
    const { client, session, settings } = yield* makeShared(settingsIn(broken.servers, chroot))
    const { id } = session
    const { outage = Effect.never, reader } = client(settings)
    const here = yield* reader
    yield* broken.cut
    const error = yield* Effect.flip(Effect.raceFirst(here.getData("/app"), outage))
    assert.strictEqual(error._tag, "ConnectFailed")
    assert.include(error.message, broken.servers)
    yield* broken.heal
    assert.strictEqual(new TextDecoder().decode(yield* here.getData("/app")), "data")
    assert.strictEqual(session.id, id)
  })

  it.inChroot("waits for as long as it takes where a command follows the tree", function* ({ chroot, link, zk }) {
    yield* zk.create("/app", { data: "data" })
    const broken = yield* link
    const { client, settings } = yield* makeShared(settingsIn(broken.servers, chroot))
    const { outage = Effect.never, watcher } = client(settings)
    const here = yield* watcher
    yield* broken.cut
    const data = yield* Effect.forkChild(Effect.raceFirst(here.getData("/app"), outage))
    yield* Effect.sleep("1500 millis")
    yield* broken.heal
    assert.strictEqual(new TextDecoder().decode(yield* Fiber.join(data)), "data")
  })

  it.inChroot("gets identities, also for the sessions of commands that hold something", function* (commands) {
    const { chroot, servers } = commands
    const shared = yield* makeShared(settingsIn(servers, chroot))
    const { client, settings } = yield* shared.withAuth([ann])
    yield* (yield* client(settings).writer("create")).create("/hers", { acl: Acl.creator, data: "data" })
    const holder = client(settings).holder("lock", {
      sessionTimeout: Duration.seconds(10),
      ownershipMargin: Duration.seconds(1)
    })
    assert.strictEqual(new TextDecoder().decode(yield* (yield* holder).getData("/hers")), "data")
    assert.strictEqual((yield* Effect.flip(commands.zk.getData("/hers")))._tag, "NoAuth")
  })

  it.inChroot("keeps its session when the servers refuse an identity", function* ({ chroot, servers }) {
    const { client, session, settings, withAuth } = yield* makeShared(settingsIn(servers, chroot))
    const refused = yield* Effect.flip(withAuth([{ scheme: "none", credentials: Redacted.make("ann") }]))
    assert.strictEqual(refused._tag, "AuthFailed")
    assert.strictEqual(session.state._tag, "Connected")
    assert.deepStrictEqual(yield* (yield* client(settings).reader).getChildren("/"), [])
  })
})

describe("the client of the prompt", () => {
  it.live("goes on with servers that have lost their data", () =>
    Effect.gen(function* () {
      const start = Effect.fnUntraced(function* (port: number) {
        const running = yield* Layer.build(Layer.fresh(EmbeddedServer.layer({ port })))
        return Context.get(running, EmbeddedServer.EmbeddedServer).connectString
      })
      const scope = yield* Scope.make()
      const servers = yield* Scope.provide(start(0), scope)
      const { client, session, settings } = yield* makeShared({
        ...settingsIn(servers, ""),
        timeout: Duration.seconds(5)
      })
      yield* Effect.flatMap(client(settings).writer("create"), (zk) =>
        Effect.forEach(["/a", "/b", "/c"], (path) => zk.create(path))
      )
      yield* Scope.close(scope, Exit.void)
      yield* Stream.runDrain(Stream.takeWhile(session.states, ({ _tag }) => _tag === "Connected"))
      yield* start(Number(servers.split(":")[1]))
      const children = yield* Effect.flatMap(client(settings).reader, (zk) => zk.getChildren("/"))
      assert.deepStrictEqual(children, ["zookeeper"])
    })
  )
})
