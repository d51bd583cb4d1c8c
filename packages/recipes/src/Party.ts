/**
 * A group of members under a path, each with data of its own: processes that see each other.
 *
 * **Guarantees**
 *
 * - When `join` has returned the member is there, and this client's own view shows it; it comes back under each session
 *   that follows. It leaves when its Scope closes.
 * - A member finds itself among the members, whatever the servers show at the moment.
 * - A member that dies is gone when its session has expired. Others see it leave once and, if it comes back, join once.
 * - Two members with one id are never mistaken for one: the later one waits, fails, or gets another id, as its options
 *   say.
 *
 * It does not guarantee that all see the same members at the same time. Use `settled` to divide work among members: it
 * waits until no member has come or gone for a while. Nor does a member that is cut off know that others have seen it
 * leave.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Freshness } from "./CacheEvent.ts"
import type { MemberExists, RecipeError } from "./Errors.ts"
import { join } from "./internal/party/join.ts"
import { follow, makeMembershipView, refresh } from "./internal/party/MembershipView.ts"
import type * as PersistentNode from "./PersistentNode.ts"
import { checkTimeout } from "./internal/shared/validate.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Names of the members' znodes.
 *
 * - `curator`: the id alone, as of Curator's `GroupMember`; the default. An id is there once.
 * - `aiozk`: `<id>-<32 hex>-<number>`, of aiozk. The id of a member is all but the number, so that names can repeat.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "aiozk"

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
  /**
   * Which ephemeral children are members, by their names. Children that are not ephemeral never are. Default: all in the
   * layout `curator`, and those with its names in `aiozk`.
   */
  readonly filter?: ((name: string) => boolean) | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * Options of `join`.
 *
 * @category options
 * @since 0.1.0
 */
export interface JoinOptions {
  /** The name by which others know the member, without "/". Default: a new UUID. */
  readonly id?: string | undefined
  /** Data that others see with the member. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * The behaviour when another session has the id.
   *
   * - `fail`, the default: waits for `expiryTimeout`, since a process that has just died may have left it, and then fails
   *   with `MemberExists`.
   * - `wait`: waits until it is free.
   * - `suffix`: takes `<id>-2`, or the next free number.
   */
  readonly onConflict?: "fail" | "wait" | "suffix" | undefined
  /** How long `fail` waits for a dead member. Numbers are milliseconds. Default: a session timeout. */
  readonly expiryTimeout?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Data by the ids of members. The Map is immutable.
 *
 * @category models
 * @since 0.1.0
 */
export type Members = ReadonlyMap<string, Uint8Array>

/**
 * The own membership.
 *
 * @category models
 * @since 0.1.0
 */
export interface Membership {
  /** The id by which others know this member. */
  readonly id: string
  readonly path: string
  /** The state of its znode; see `PersistentNode`. */
  readonly status: PersistentNode.Status
  /** The current status, then each newer one. */
  readonly changes: Stream.Stream<PersistentNode.Status>
  /** Replaces the data that others see, and waits until it is written; see `PersistentNode.setData`. */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNode.PersistentNodeError>
}

/**
 * A party at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Party {
  readonly path: string
  /** The members as far as this client knows. Sends no request. */
  readonly members: Effect.Effect<Members>
  /** How far to trust the members; see `Freshness`. */
  readonly freshness: Freshness
  /** The current members, then each change of members or data. Fails when the session has ended for good. */
  readonly changes: Stream.Stream<Members, RecipeError>
  /** `changes` that have lasted for the duration: shorter ones are left out. Numbers are milliseconds. */
  readonly settled: (quiet: Duration.Input) => Stream.Stream<Members, RecipeError>
  /**
   * Joins until the Scope closes. Fails with `MemberExists` if another session keeps the id; see `JoinOptions.onConflict`.
   */
  readonly join: (options?: JoinOptions) => Effect.Effect<Membership, JoinError, Scope.Scope>
}

/**
 * Errors of joining.
 *
 * @category errors
 * @since 0.1.0
 */
export type JoinError = MemberExists | PersistentNode.PersistentNodeError

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Follows the party at a path until the Scope closes. Returns when its members have been read. It does not join: call
 * `join`. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Party } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const party = yield* Party.make("/workers")
 *   yield* party.join({ id: "worker-7", data: "10.0.0.7:8080" })
 *   yield* Effect.log([...(yield* party.members).keys()])
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Party, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.party, options)
    const view = yield* makeMembershipView(path, options)
    yield* refresh(view)
    const following = yield* Effect.forkScoped(follow(view), { startImmediately: true })
    const changes = Stream.interruptWhen(SubscriptionRef.changes(view.members), endOf(following))
    return {
      path,
      members: SubscriptionRef.get(view.members),
      get freshness() {
        return view.cache.freshness
      },
      changes,
      settled: (quiet) =>
        Stream.unwrap(
          Effect.map(checkTimeout(quiet, "quiet"), (quiet) => Stream.debounce(changes, quiet ?? "Infinity"))
        ),
      join: (options) => Effect.andThen(Known.checkOptions(Known.join, options), join(view, options ?? {}))
    }
  })

// ---- internal

/** Waits for the end of the following fiber: a Scope that closes ends it without a failure. */
const endOf = (following: Fiber.Fiber<void, RecipeError>): Effect.Effect<void, RecipeError> =>
  Effect.flatMap(Fiber.await(following), (exit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Effect.void : exit
  )
