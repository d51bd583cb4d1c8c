/**
 * Options that several recipes have, and their check.
 */
import { checkOptions, checkTimeout } from "@effect-zookeeper/client/ArgumentCheck"
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"

/** The option of everything that creates znodes. */
export interface AclOptions {
  /** The ACL of all created znodes, including parents. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * How `withLock` and `acquire` wait.
 *
 * @category options
 * @since 0.1.0
 */
export interface AcquireOptions {
  /**
   * How long to wait before it fails with `LockTimeout`. With 0 it tries once, which takes a session timeout at most.
   * Numbers are milliseconds. Default: forever.
   */
  readonly timeout?: Duration.Input | undefined
}

/** Names the keys of a type of options, with an example. */
export const knownOptions = KnownOptions.make

const waiting = '{ timeout: "5 seconds" }'

export const knownAcquire = knownOptions<AcquireOptions>({ timeout: true }, waiting)

/** The timeout in milliseconds, of options that have one; undefined for none. */
export const checkedTimeout = <O extends AcquireOptions>(
  known: KnownOptions.KnownOptions<O>,
  options: O | undefined
): Effect.Effect<number | undefined, InvalidArgument> =>
  options === undefined
    ? Effect.undefined
    : Effect.andThen(
        Effect.suspend(() => checkOptions(known, options)),
        Effect.suspend(() => checkTimeout(options.timeout))
      )
