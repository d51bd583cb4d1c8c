/** A server in memory to which tests do what no real one can be made to do, and clients of it. */
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Session from "@effect-zookeeper/session/Session"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

const client = ZooKeeper.layerSession().pipe(Layer.provide(Session.layer({ retry: Schedule.spaced("20 millis") })))

/** The server and a client. */
export const embedded = Layer.provideMerge(client, EmbeddedServer.layerMemory)

/** Another client of the same server, with a session of its own. */
export const connectAnother = clientOf(client)

/** A live test with the server and a client. */
export const itOnEmbedded = testOn(
  it.live,
  embedded,
  Effect.all({ server: EmbeddedServer.EmbeddedServer, zk: ZooKeeper.ZooKeeper })
)

/** That a client loses no connection for so many milliseconds. */
export const assertConnectionStays = ({ session }: ZooKeeper.Service, millis: number) => {
  const lost = Stream.runHead(Stream.filter(session.states, ({ _tag }) => _tag !== "Connected"))
  return Effect.map(Effect.timeoutOption(lost, millis), (state) => assert.isTrue(Option.isNone(state)))
}
