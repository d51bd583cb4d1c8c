/**
 * Ids that are unique across all processes.
 *
 * **Guarantees**
 *
 * - No id is given twice, whatever replies are lost and whichever process crashes.
 * - The ids of one generator grow. With `makeOrdered` those of all generators do: an id that was requested after another
 *   had been given is larger.
 *
 * It does not guarantee that there are no gaps: the rest of a block is lost with its process, and a lost reply skips a
 * block. Nor, with `make`, an order between two generators, each of which works through a block of its own. The ids of a
 * path begin anew when its znode is deleted.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Counter from "./Counter.ts"
import type { DataInvalid, OutOfRange, RecipeError, VersionExhausted } from "./Errors.ts"
import { type AclOptions, checkOptions, knownOptions } from "./internal/shared/options.ts"
import { createIfMissing } from "./internal/shared/requests.ts"
import { retryAcrossSessions } from "./internal/shared/retry.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"
import type { ContentionOptions } from "./internal/values/compareAndSet.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `makeOrdered`.
 *
 * @category options
 * @since 0.1.0
 */
export type OrderedOptions = AclOptions

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends OrderedOptions, Pick<ContentionOptions, "promote"> {
  /** How many ids one write reserves. Default 100. */
  readonly blockSize?: number | undefined
  /** The first id, where there is no znode yet. Default 1. */
  readonly initial?: bigint | undefined
}

/**
 * Errors of asking for an id; `OutOfRange` when all ids of 63 bits have been given.
 *
 * @category errors
 * @since 0.1.0
 */
export type NextError = OutOfRange | VersionExhausted | DataInvalid | RecipeError

/**
 * A generator of ids at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface IdGenerator<E = NextError> {
  readonly path: string
  /** An id that no other caller gets. An interruption may skip some. */
  readonly next: Effect.Effect<bigint, E>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a generator that reserves blocks of ids: one write for each `blockSize` of them, and none for the others. The
 * znode is a `Counter` of the layout `exact`, with the first free id. Nothing is sent before the first id. Fails with
 * `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { IdGenerator } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const orders = yield* IdGenerator.make("/ids/orders", { blockSize: 1000 })
 *   yield* Effect.log(yield* orders.next)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<IdGenerator, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const { acl, promote } = options
    const blockSize = BigInt((yield* checkCount("blockSize", options.blockSize)) ?? 100)
    const free = yield* Counter.make(path, { layout: "exact", initial: options.initial ?? 1n, acl, promote })
    const turn = Semaphore.makeUnsafe(1)
    let id = 0n
    let end = 0n

    /** A block that was reserved by a write without a reply is skipped: it reserves another one. */
    const reserve: Effect.Effect<void, NextError> = free.add(blockSize).pipe(
      Effect.map(({ post, pre }) => {
        id = pre
        end = post
      }),
      Effect.catchTag("OutcomeUnknown", () => reserve),
      // There is no limit to the attempts.
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
 * Makes a generator whose ids are in the order of asking, across all processes: each id is the transaction of a write of
 * its own, a number of 64 bits with an epoch in the upper half. Callers do not wait for each other, and only the znode is
 * left behind.
 *
 * @example
 * ```ts
 * import { IdGenerator } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const orders = yield* IdGenerator.makeOrdered("/ids/orders")
 *   yield* Effect.log(yield* orders.next)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOrdered = (
  path: string,
  options: OrderedOptions = {}
): Effect.Effect<IdGenerator<RecipeError>, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* checkOptions(knownOrdered, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { acl } = options
    const create = createIfMissing(zk, path, { acl })
    // A second write only skips an id.
    const next: Effect.Effect<bigint, RecipeError> = retryAcrossSessions(zk, zk.set(path, "")).pipe(
      Effect.map(({ mzxid }) => mzxid),
      Effect.catchTag("NoNode", () => Effect.andThen(create, next)),
      // It names no version.
      Effect.catchTag("BadVersion", (error) => Effect.die(error))
    )
    return { path, next }
  })

// ---- internal

const known = knownOptions<Options>({ acl: true, promote: true, blockSize: true, initial: true }, "{ blockSize: 100 }")

const knownOrdered = knownOptions<OrderedOptions>({ acl: true }, "{ acl: Acl.open }")
