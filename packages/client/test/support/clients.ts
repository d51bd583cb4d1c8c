/** Clients of the run's shared server, each under a chroot of its own. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ZooKeeper from "../../src/ZooKeeper.ts"

export { failure, numbersBelow, pullFrom, text } from "@effect-zookeeper/test-kit/Expectations"

/** A client in the Scope of the test. */
export const connect = (
  options: ZooKeeper.Options
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(ZooKeeper.layer(options))), (context) => Context.get(context, ZooKeeper.ZooKeeper))

/** A client under a fresh chroot that exists. */
export const connectFresh = Effect.fnUntraced(function* (name: string, options: ZooKeeper.Options = {}) {
  const { chroot, connectString } = TestServer.fresh(name)
  const zk = yield* connect({ servers: connectString, ...options })
  // No container, which a server reaps as soon as a test has emptied it.
  yield* zk.create("/")
  return { zk, chroot, connectString }
})

/** A live test under a fresh chroot that exists. */
export const itInChroot = testWith(it.live, connectFresh("test"))
