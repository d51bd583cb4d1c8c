/** Clients of the run's shared server, each under a chroot of its own. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import { it } from "@effect/vitest"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ZooKeeper from "../../src/ZooKeeper.ts"

export {
  assertEach,
  awaitCondition,
  eventually,
  failure,
  gather,
  now,
  numbersBelow,
  pullFrom,
  refused,
  text
} from "@effect-zookeeper/test-kit/Expectations"

/** A client in the Scope of the test. */
export const connect = (
  options: ZooKeeper.Options
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> => clientOf(ZooKeeper.layer(options))

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
