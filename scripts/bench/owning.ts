/**
 * Sessions that own something, or nothing, and do nothing else.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/** The possession of a session: nothing, or a lock, and how it is proved that it still has it. */
export type Having = "nothing" | "a lock, proved by a quorum" | "a lock, proved by its server"

/** Milliseconds: the default of the client. */
const sessionTimeout = 10_000

/** Opens so many sessions, each with a lock of its own if they have one; gives the function that closes them. */
export const openSessions = async (servers: string, sessions: number, having: Having): Promise<() => Promise<void>> => {
  const scope = Scope.makeUnsafe()
  const layer = ZooKeeper.layer({
    servers,
    sessionTimeout,
    connectTimeout: "30 seconds",
    ownershipProof: having === "a lock, proved by its server" ? "server" : "quorum"
  })
  const one = Effect.fnUntraced(function* (index: number) {
    const context = yield* Layer.build(Layer.fresh(layer))
    const zk = Context.get(context, ZooKeeper.ZooKeeper)
    if (having === "nothing") return
    const lock = yield* Effect.provideService(Lock.make(`/owners/${index}`), ZooKeeper.ZooKeeper, zk)
    yield* lock.acquire()
  })
  const all = Effect.forEach(Array.from({ length: sessions }).keys(), one, { concurrency: 20, discard: true })
  await Effect.runPromise(Scope.provide(all, scope))
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}
