/**
 * A sub-tree as it was at one moment.
 *
 * ZooKeeper reads one znode at a time, so that a client which walks a tree sees its parts at different moments. Here
 * everything is read, and then looked at again: if no znode has another transaction number and no list of children has
 * changed, the tree was exactly so at the moment between the two walks. Otherwise what has changed is read again, and all of
 * it is looked at once more. The proof needs no watch and no particular version of ZooKeeper: a session never sees an older
 * state after a newer one, and both walks are in one session.
 *
 * It is for configuration: hundreds of znodes that change now and then. For a large tree that changes all the time use
 * `TreeCache` of the recipes, whose snapshots are not one moment.
 *
 * @since 0.1.0
 */
import { checkCount, checkOptions, checkPath } from "@effect-zookeeper/client/ArgumentCheck"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Effect from "effect/Effect"
import { readSnapshot } from "./internal/snapshot/readSnapshot.ts"
import type { ReadError, Snapshot } from "./internal/snapshot/model.ts"

export { TreeTooLarge, TreeUnsettled } from "./internal/snapshot/model.ts"
export type { ReadError, Snapshot, Znode } from "./internal/snapshot/model.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of {@link read}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The largest number of znodes, the root included. More fail with `TreeTooLarge`. Default 10,000. */
  readonly maxNodes?: number | undefined
  /** How often the tree is looked at before `TreeUnsettled`. Default 100. */
  readonly attempts?: number | undefined
}

const known = KnownOptions.make<Options>({ maxNodes: true, attempts: true }, "{ maxNodes: 500 }")

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Reads a sub-tree as it was at one moment. A root that does not exist is an empty snapshot. `/zookeeper`, which is the
 * servers' own, is left out.
 *
 * It waits through lost connections, and in the session that replaces an expired one. Fails with `NoAuth` if a znode may not
 * be read, `TreeTooLarge`, `TreeUnsettled`, `InvalidArgument`, or the errors of the session.
 *
 * @example
 * ```ts
 * import { Snapshot } from "@effect-zookeeper/config"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const { znodes } = yield* Snapshot.read("/config/mail")
 *   for (const [path, { data }] of znodes) console.log(path, new TextDecoder().decode(data))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (path: string, options: Options = {}): Effect.Effect<Snapshot, ReadError, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    yield* checkPath(path)
    const maxNodes = yield* checkCount("maxNodes", options.maxNodes ?? 10_000)
    const attempts = yield* checkCount("attempts", options.attempts ?? 100)
    return yield* readSnapshot(yield* ZooKeeper.ZooKeeper, path, { maxNodes, attempts })
  })
