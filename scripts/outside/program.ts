/**
 * An application outside of the workspace, on the packed packages: it is type-checked against their declarations and run.
 *
 * It reaches every package by its name and by a deep module, dials a port without a listener, and works on the embedded
 * server through both of its transports.
 */
import { ZooKeeper as Client } from "@effect-zookeeper/client"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ZooKeeperRunnerStorage as RunnerStorageModule } from "@effect-zookeeper/cluster"
import * as ZooKeeperRunnerStorage from "@effect-zookeeper/cluster/ZooKeeperRunnerStorage"
import { LiveConfig as LiveConfigModule } from "@effect-zookeeper/config"
import * as LiveConfig from "@effect-zookeeper/config/LiveConfig"
import * as Protocol from "@effect-zookeeper/protocol"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Records from "@effect-zookeeper/protocol/Records"
import { Lock as LockModule } from "@effect-zookeeper/recipes"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import { EmbeddedServer as EmbeddedServerModule } from "@effect-zookeeper/server"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as SessionPackage from "@effect-zookeeper/session"
import * as Session from "@effect-zookeeper/session/Session"
import * as TransportPackage from "@effect-zookeeper/transport"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Assert from "node:assert/strict"

// A deep module and the package's index are one and the same module.
Assert.equal(Client.ZooKeeper, ZooKeeper.ZooKeeper)
Assert.equal(Protocol.Jute.codec, Jute.codec)
Assert.equal(TransportPackage.ConnectString.parse, ConnectString.parse)
Assert.equal(LockModule.make, Lock.make)
Assert.equal(LiveConfigModule.make, LiveConfig.make)
Assert.equal(RunnerStorageModule.make, ZooKeeperRunnerStorage.make)
Assert.equal(SessionPackage.Session.layer, Session.layer)
Assert.equal(EmbeddedServerModule.layer, EmbeddedServer.layer)

const parsed = Result.getOrThrow(ConnectString.parse("zk1:2181,[2001:db8::1]/app"))
Assert.deepEqual(
  parsed.servers.map(({ host }) => host),
  ["zk1", "2001:db8::1"]
)

const header = Jute.codec(Records.RequestHeader)
const bytes = Jute.encode(header, { xid: 7, type: 4 })
Assert.deepEqual([...bytes], [0, 0, 0, 7, 0, 0, 0, 4])
Assert.deepEqual(Result.getOrThrow(Jute.decode(header, bytes)), { xid: 7, type: 4 })

// Types as the interface promises them. This is never called.
export const typed = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const [path, stat, nothing] = yield* zk.transaction([Op.create("/a"), Op.setData("/a", "data"), Op.check("/a")])
  const results: readonly [string, Records.Stat, void] = [path, stat, nothing]
  const found: Option.Option<Records.Stat> = yield* zk.stat("/a")
  const session: Session.SessionInfo = zk.session
  return { results, found, session }
}).pipe(Effect.catchTag("TransactionFailed", (error) => Effect.succeed(error.index)))

const failure = await ZooKeeper.layer({ servers: "127.0.0.1:1", connectTimeout: "300 millis" }).pipe(
  Layer.build,
  Effect.scoped,
  Effect.flip,
  Effect.runPromise
)
Assert.equal(failure._tag, "ConnectFailed")

const work = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const server = yield* EmbeddedServer.EmbeddedServer
  const path = yield* zk.create("/job-", { data: "payload", mode: "ephemeralSequential" })
  yield* server.disconnectAll
  const { data } = yield* zk.get(path)
  const lock = yield* Lock.make("/lock")
  const tokens = yield* lock.withLock((held) => Effect.succeed(held.fencingToken > 0n))
  yield* zk.createWithParents("/config/port", { data: "25" })
  const port = yield* LiveConfig.make(Config.Port("port"), { path: "/config" })
  return [path, new TextDecoder().decode(data), tokens, port.current]
}).pipe(Effect.scoped)

const overTcp = Layer.unwrap(
  Effect.map(EmbeddedServer.EmbeddedServer, ({ connectString }) => ZooKeeper.layer({ servers: connectString }))
)
const inMemory = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer()))

const answers = await Promise.all([
  Effect.runPromise(Effect.provide(work, Layer.provideMerge(overTcp, EmbeddedServer.layer()))),
  Effect.runPromise(Effect.provide(work, Layer.provideMerge(inMemory, EmbeddedServer.layerMemory)))
])
for (const answer of answers) Assert.deepEqual(answer, ["/job-0000000000", "payload", true, 25])
