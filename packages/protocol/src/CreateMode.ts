/**
 * The seven kinds of znode that `create` can make, and the limits of a time to live.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { InvalidArgument } from "./InvalidArgument.ts"

/**
 * The flags of a create request by the name of the mode.
 *
 * - `persistent` stays until a client deletes it.
 * - `ephemeral` is deleted with the session that created it, and cannot have children.
 * - `...Sequential` gets a number appended to its name by the server: see `ZnodePath.sequence`.
 * - `container` is deleted by the server some time after its last child was deleted (since ZooKeeper 3.5.1).
 * - `...WithTtl` is deleted by the server when it has no children and was not written for the time to live (since ZooKeeper
 *   3.5.3; the server has to run with `zookeeper.extendedTypesEnabled=true`).
 *
 * @category constants
 * @since 0.1.0
 */
export const flags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6
} as const

/**
 * The name of a mode, for the option `mode` of `create`; each is explained at `flags`.
 *
 * @category models
 * @since 0.1.0
 */
export type CreateMode = keyof typeof flags

/**
 * All modes, in the order of their flags.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<CreateMode> = [
  "persistent",
  "ephemeral",
  "persistentSequential",
  "ephemeralSequential",
  "container",
  "persistentWithTtl",
  "persistentSequentialWithTtl"
]

/**
 * The longest time to live in milliseconds: 2^40 - 1, nearly 35 years. Servers keep it in 40 bits.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxTtlMillis = 1_099_511_627_775

/**
 * The mode of the flags of a create request; undefined for flags that no server knows.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromFlags = (wireFlags: number): CreateMode | undefined => all[wireFlags]

/**
 * Whether a value is the name of a mode.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCreateMode = (u: unknown): u is CreateMode => typeof u === "string" && Object.hasOwn(flags, u)

/**
 * Whether the server appends a number to the path.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSequential = (mode: CreateMode): boolean =>
  mode === "persistentSequential" || mode === "ephemeralSequential" || mode === "persistentSequentialWithTtl"

/**
 * Whether the znode is deleted with its session.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEphemeral = (mode: CreateMode): boolean => mode === "ephemeral" || mode === "ephemeralSequential"

/**
 * Whether the mode needs a time to live.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasTtl = (mode: CreateMode): boolean =>
  mode === "persistentWithTtl" || mode === "persistentSequentialWithTtl"

/**
 * Succeeds with the time to live in milliseconds, or fails with `InvalidArgument`: it must be an integer from 1 to 2^40 - 1.
 *
 * **Gotchas**
 *
 * A server of 3.8.0 that gets a create request with a negative time to live crashes, and then cannot read its own log. So
 * no such request may leave a client.
 *
 * @category validation
 * @since 0.1.0
 */
export const validateTtl = (ttlMillis: number, argument = "ttl"): Result.Result<number, InvalidArgument> =>
  Number.isInteger(ttlMillis) && ttlMillis >= 1 && ttlMillis <= maxTtlMillis
    ? Result.succeed(ttlMillis)
    : Result.fail(
        new InvalidArgument({
          argument,
          value: String(ttlMillis),
          rule: `a time to live must be a whole number of milliseconds from 1 to ${maxTtlMillis}`
        })
      )
