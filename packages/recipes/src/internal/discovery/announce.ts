/**
 * Keeping one instance registered.
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RecipeError } from "../../Errors.ts"
import * as PersistentNode from "../../PersistentNode.ts"
import type { Registration } from "../../ServiceDiscovery.ts"
import { Instance } from "../../ServiceInstance.ts"
import { leave } from "../holding.ts"
import { acrossSessions } from "../patience.ts"
import type { InstanceData } from "./instanceData.ts"

export const announce = <A>(
  zk: ZooKeeper.Service,
  path: string,
  first: Instance<A>,
  data: InstanceData<A>,
  acl: ReadonlyArray<Acl.Acl> | undefined
): Effect.Effect<Registration<A>, RecipeError | InvalidArgument, Scope.Scope> =>
  Effect.gen(function* () {
    let instance = first
    const bytes = yield* data.encode(first)
    const write = yield* first.serviceType === "DYNAMIC"
      ? whileAlive(zk, path, bytes, acl)
      : asItIs(zk, path, bytes, acl, first.serviceType === "STATIC")
    return {
      path,
      get instance() {
        return instance
      },
      update: (change) =>
        Effect.gen(function* () {
          const next = new Instance({ ...instance, ...change })
          const bytes = yield* data.encode(next)
          // Whoever changes it meanwhile goes on from here.
          instance = next
          yield* write(bytes)
          return next
        })
    }
  })

// ---- internal

type Write = (bytes: Uint8Array) => Effect.Effect<void, RecipeError>

type Acls = ReadonlyArray<Acl.Acl> | undefined

/** An ephemeral znode that comes back. */
const whileAlive = (zk: ZooKeeper.Service, path: string, bytes: Uint8Array, acl: Acls) =>
  Effect.map(
    withParents(Effect.provideService(PersistentNode.make(path, { data: bytes, acl }), ZooKeeper.ZooKeeper, zk)),
    (node): Write =>
      (bytes) =>
        withParents(node.setData(bytes))
  )

/** Parents are created wherever they are missing. */
const withParents = <A, R>(effect: Effect.Effect<A, PersistentNode.PersistentNodeError, R>) =>
  Effect.catchTag(effect, "NoNode", (error) => Effect.die(error))

/** A znode that outlives its process; deleted when the Scope closes, or not even then. */
const asItIs = (zk: ZooKeeper.Service, path: string, bytes: Uint8Array, acl: Acls, isTemporary: boolean) => {
  const write: Write = (bytes) =>
    acrossSessions(zk, zk.createOrSet(path, bytes, { acl, parentAcl: acl })).pipe(
      Effect.asVoid,
      // Others were in the way of it.
      Effect.catchTag(["NodeExists", "NoNode"], () => write(bytes))
    )
  const written = Effect.as(write(bytes), write)
  return isTemporary ? Effect.acquireRelease(written, () => leave(zk, path)) : written
}
