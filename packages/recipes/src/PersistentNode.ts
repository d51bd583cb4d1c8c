/**
 * A znode that exists as long as its owner does: an ephemeral znode that comes back.
 *
 * An ephemeral znode goes when its session expires or a client deletes it. This one is then created again, under the same
 * name and with its data. It is deleted when the Scope closes.
 *
 * **Guarantees**
 *
 * - Once `make` has returned the znode is there, unless `wait` is false. Whenever it is gone, it is being created.
 * - A sequential znode keeps its number, and a protected one its name, unless another client has taken it meanwhile.
 * - A znode of another owner at the path, such as the process that ran here before, is never touched: it waits until that
 *   znode has gone. A znode of one of this client's former sessions is deleted.
 * - In the modes that outlive sessions, the znode that `make` finds at its path is taken over, as a restart needs it: its data
 *   is replaced, and it is deleted in the end. From then on only that znode, and those that this one has created, are its own.
 *   One that another client creates in their place later is waited for, and neither written nor deleted.
 * - When the Scope has closed, no znode is left, not even by a create whose reply was still to come.
 *
 * It does not guarantee that the znode is there at every moment: between an expiry and the next session it is not, and a
 * client that is cut off cannot know. Nor is it a lock: use `Lock` to learn of a loss in time. In the modes that outlive
 * sessions no owner tells who created a znode: where the reply of a create is lost, a znode that was created since with the
 * very same data, and not written after that, is taken for its own.
 *
 * @since 0.1.0
 */
import { acquireForked } from "@effect-zookeeper/client/Detached"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as KeepAlive from "./internal/persistentNode/keepAlive.ts"
import type { Options, PersistentNode, PersistentNodeError } from "./internal/persistentNode/model.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"

export type { Options, PersistentNode, PersistentNodeError, Status } from "./internal/persistentNode/model.ts"

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Creates the znode and keeps it for as long as the Scope is open. Use it for a znode that shows others that this process
 * is there. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { PersistentNode } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const node = yield* PersistentNode.make("/workers/seven", { data: "10.0.0.7:8080" })
 *   yield* node.setData("10.0.0.7:8081")
 *   yield* Effect.log(node.status._tag)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<PersistentNode, PersistentNodeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    return yield* acquireForked((restore) =>
      Effect.tap(KeepAlive.make(zk, path, options), (node) =>
        options.wait === false ? refusedArgument(node) : restore(node.present)
      )
    )
  })

// ---- internal

const known = knownOptions<Options>(
  {
    data: true,
    mode: true,
    ttl: true,
    protected: true,
    parents: true,
    restore: true,
    acl: true,
    wait: true,
    deleteOnClose: true
  },
  '{ data: "..." }'
)

/** An invalid argument fails the call, whether it waits or not. */
const refusedArgument = ({ status }: PersistentNode): Effect.Effect<void, InvalidArgument> =>
  status._tag === "Refused" && status.error._tag === "InvalidArgument" ? Effect.fail(status.error) : Effect.void
