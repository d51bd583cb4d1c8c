/**
 * Ids that no two processes get.
 *
 * ```ts
 * const ids = yield* IdGenerator.make("/ids/orders", { blockSize: 1000 })
 * const id = yield* ids.next
 * ```
 *
 * **Guarantees**
 *
 * - No id comes twice, whoever asks, whatever replies are lost and whoever crashes.
 * - Those of one generator only grow. With `makeOrdered` those of all do: an id that was asked for after another had been
 *   given is larger than that one.
 *
 * It does not guarantee that there are no gaps: a block of a process that ends is not given to others, and a lost reply
 * skips a block. Nor, with `make`, an order between two generators, each of which works through a block of its own. The ids
 * of a path begin anew when its znode is deleted.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Counter from "./Counter.ts"
import type { DataInvalid, OutOfRange, RecipeError, VersionExhausted } from "./Errors.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"
import type { ContentionOptions } from "./internal/values/contention.ts"
import { retryAcrossSessions } from "./internal/shared/retry.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface OrderedOptions {
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends OrderedOptions, Pick<ContentionOptions, "promote"> {
  /** How many ids are had by one write. Default 100. */
  readonly blockSize?: number | undefined
  /** The first id of all, if there is no znode yet. Default 1. */
  readonly initial?: bigint | undefined
}

/**
 * What asking for an id can fail with: `OutOfRange` when all of 63 bits have been given.
 *
 * @category errors
 * @since 0.1.0
 */
export type NextError = OutOfRange | VersionExhausted | DataInvalid | RecipeError

/**
 * @category models
 * @since 0.1.0
 */
export interface IdGenerator<E = NextError> {
  readonly path: string
  /** An id that nobody else gets. Interrupted, it may skip some. */
  readonly next: Effect.Effect<bigint, E>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Ids out of blocks: one write for each `blockSize` of them, and none for the others. The znode is a `Counter` of the layout
 * `exact`, which says what is free. Nothing is sent before the first id.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<IdGenerator, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.idGenerator, options)
    const { acl, promote } = options
    const blockSize = BigInt((yield* checkCount("blockSize", options.blockSize)) ?? 100)
    const free = yield* Counter.make(path, { layout: "exact", initial: options.initial ?? 1n, acl, promote })
    const turn = Semaphore.makeUnsafe(1)
    let id = 0n
    let end = 0n

    /** A block that was had by a write without a reply is nobody's: another one is asked for. */
    const reserve: Effect.Effect<void, NextError> = free.add(blockSize).pipe(
      Effect.map(({ post, pre }) => {
        id = pre
        end = post
      }),
      Effect.catchTag("OutcomeUnknown", () => reserve),
      // There is no bound to the attempts.
      Effect.catchTag("Contended", (error) => Effect.die(error))
    )

    const next: Effect.Effect<bigint, NextError> = Effect.suspend(() =>
      id < end
        ? Effect.succeed(id++)
        : Effect.andThen(turn.withPermit(Effect.suspend(() => (id < end ? Effect.void : reserve))), next)
    )
    return { path, next }
  })

/**
 * Ids in the order of asking, over all processes: each is the transaction of a write of its own, and so of 64 bits, with an
 * epoch in the upper half. Nobody waits for another, and nothing is left behind but the znode.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOrdered = (
  path: string,
  options: OrderedOptions = {}
): Effect.Effect<IdGenerator<RecipeError>, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.idGeneratorOrdered, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { acl } = options
    const create = retryAcrossSessions(zk, zk.createWithParents(path, { acl, parentAcl: acl })).pipe(
      Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void)
    )
    // A write more skips an id.
    const next: Effect.Effect<bigint, RecipeError> = retryAcrossSessions(zk, zk.set(path, "")).pipe(
      Effect.map(({ mzxid }) => mzxid),
      Effect.catchTag("NoNode", () => Effect.andThen(create, next)),
      // No version was given.
      Effect.catchTag("BadVersion", (error) => Effect.die(error))
    )
    return { path, next }
  })
