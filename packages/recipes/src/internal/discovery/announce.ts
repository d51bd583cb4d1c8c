/**
 * Keeps one instance registered.
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RecipeError } from "../../Errors.ts"
import * as PersistentNode from "../../PersistentNode.ts"
import { Instance, type ServiceType } from "../../ServiceInstance.ts"
import type { InstanceCodec } from "./instanceCodec.ts"
import type { Registration } from "./model.ts"

export const register = <A>(
  zk: ZooKeeper.Service,
  path: string,
  first: Instance<A>,
  data: InstanceCodec<A>,
  acl: ReadonlyArray<Acl.Acl> | undefined
): Effect.Effect<Registration<A>, RecipeError | InvalidArgument, Scope.Scope> =>
  Effect.gen(function* () {
    let instance = first
    const bytes = yield* data.encode(first)
    const node = yield* withParents(
      PersistentNode.make(path, { ...nodeOf[first.serviceType], data: bytes, acl }).pipe(
        Effect.provideService(ZooKeeper.ZooKeeper, zk)
      )
    )
    return {
      path,
      get instance() {
        return instance
      },
      update: (change) =>
        Effect.gen(function* () {
          const next = new Instance({ ...instance, ...change })
          const bytes = yield* data.encode(next)
          // A concurrent update goes on from here.
          instance = next
          yield* withParents(node.setData(bytes))
          return next
        })
    }
  })

// ---- internal

/** `DYNAMIC` instances go with their session, `STATIC` ones with their Scope, and `PERMANENT` ones stay. */
const nodeOf: Readonly<Record<ServiceType, Pick<PersistentNode.Options, "mode" | "deleteOnClose">>> = {
  DYNAMIC: { mode: "ephemeral" },
  DYNAMIC_SEQUENTIAL: { mode: "ephemeral" },
  STATIC: { mode: "persistent" },
  PERMANENT: { mode: "persistent", deleteOnClose: false }
}

/** Parents are created wherever they are missing. */
const withParents = <A, R>(effect: Effect.Effect<A, PersistentNode.PersistentNodeError, R>) =>
  Effect.catchTag(effect, "NoNode", (error) => Effect.die(error))
