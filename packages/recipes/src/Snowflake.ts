/**
 * Ids of 64 bits that sort by time, made without a request for each: time, the number of the process, and a count.
 *
 * | bits | contents                                                              |
 * | ---- | --------------------------------------------------------------------- |
 * | 1    | 0, so that an id is a positive number in every language               |
 * | 41   | milliseconds since the epoch: 69 years                                |
 * | 10   | the number of the process, a `WorkerId` from 0 to 1023                |
 * | 12   | a count within the millisecond: 4,096 ids in each                     |
 *
 * This is Twitter's layout. With the default epoch, 2025-01-01, it is that of Effect Cluster's `Snowflake` too.
 *
 * **Guarantees**
 *
 * - No id is given twice, by whichever processes, even when clocks differ or go back, a process stands still, or a session is
 *   lost: a process only uses times that it has reserved in ZooKeeper for its number, and a number's next holder begins after
 *   them.
 * - The ids of one generator grow.
 *
 * When the clock goes back, the time in the ids stands still until the clock has caught up, except that 4,096 ids use up a
 * millisecond; so no call waits or fails because of it. It does not guarantee that the ids of two generators are in the order
 * of their making: their clocks differ.
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { DataInvalid, OutOfRange, RecipeError } from "./Errors.ts"
import type { HoldOptions } from "./Held.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import * as WorkerNumbers from "./internal/locks/workerNumbers.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"
import { checkPath, checkPositive, checkTimeout } from "./internal/shared/validate.ts"
import * as SnowflakeClock from "./internal/values/snowflakeClock.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends HoldOptions {
  /**
   * The time that is 0 in the ids, in milliseconds since 1970; the same for all who share the path. Default: 2025-01-01 UTC.
   */
  readonly epoch?: number | undefined
  /**
   * How much time one write reserves. A busy generator writes once in that time, an idle one not at all. After a crash the
   * next holder of the number may begin that far ahead of its clock. Numbers are milliseconds. Default 10 seconds.
   */
  readonly reserve?: Duration.Input | undefined
}

/**
 * Errors of asking for an id; `OutOfRange` when the time does not fit into 41 bits.
 *
 * @category errors
 * @since 0.1.0
 */
export type NextError = OutOfRange | DataInvalid | RecipeError

/**
 * A generator of ids.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snowflake {
  readonly path: string
  /**
   * An id that no other call gets. The first call takes a number, and waits while all 1,024 are taken; so does the first one
   * after a loss of the session. In between it sends one request for each `reserve`.
   */
  readonly next: Effect.Effect<bigint, NextError>
  /** The number of this process; None before the first id and after a loss. */
  readonly workerId: Effect.Effect<Option.Option<number>>
}

/**
 * The parts of an id; `decode` gives them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  /** Milliseconds since 1970. */
  readonly time: number
  /** From 0 to 1023. */
  readonly workerId: number
  /** From 0 to 4095. */
  readonly sequence: number
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a generator. Nothing is sent before the first id. Below the path are the numbers, as `WorkerId` has them, and
 * `times/<number>`, up to which the times of a number have been reserved. Fails with `InvalidArgument` for a path or options
 * that are not valid.
 *
 * @example
 * ```ts
 * import { Snowflake } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const ids = yield* Snowflake.make("/ids/messages")
 *   const id = yield* ids.next
 *   yield* Effect.log(id, Snowflake.decode(id))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Snowflake, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    yield* checkPath(path)
    const epoch = yield* checkEpoch(options.epoch)
    const reserve = yield* checkPositive((yield* checkTimeout(options.reserve, "reserve")) ?? 10_000, "reserve")
    const turns = yield* ContenderQueue.make(ZnodePath.join(path, "turns"), options, WorkerNumbers.kinds)
    const clock = yield* SnowflakeClock.make({
      numbers: { zk: turns.zk, path, limit: 1024, turns },
      directory: ZnodePath.join(path, "times"),
      acl: options.acl,
      epoch,
      reserve: Math.ceil(reserve)
    })
    return { path, next: clock.next, workerId: clock.workerId }
  })

/**
 * The parts of an id. `epoch` is the generator's option; default: 2025-01-01 UTC.
 *
 * @example
 * ```ts
 * import { Snowflake } from "@effect-zookeeper/recipes"
 *
 * Snowflake.decode(4_194_304n + 7n) // { time: 1735689600001, workerId: 0, sequence: 7 }
 * ```
 *
 * @category parts
 * @since 0.1.0
 */
export const decode = (id: bigint, options?: { readonly epoch?: number | undefined }): Parts => ({
  time: Number(id >> 22n) + (options?.epoch ?? defaultEpoch),
  workerId: Number((id >> 12n) & 1023n),
  sequence: Number(id & 4095n)
})

// ---- internal

const known = knownOptions<Options>(
  { epoch: true, reserve: true, ...ContenderQueue.holdKeys },
  '{ reserve: "10 seconds" }'
)

/** 2025-01-01 UTC. */
const defaultEpoch = 1_735_689_600_000

const checkEpoch = (epoch: number | undefined): Effect.Effect<number, InvalidArgument> =>
  epoch === undefined || Number.isSafeInteger(epoch)
    ? Effect.succeed(epoch ?? defaultEpoch)
    : Effect.fail(
        new InvalidArgument({ argument: "epoch", value: String(epoch), rule: "whole milliseconds since 1970" })
      )
