/**
 * Who is there: a group whose members are found under a path, each with data of its own.
 *
 * ```ts
 * const party = yield* Party.make("/workers")
 * const member = yield* party.join({ id: "worker-7", data: "10.0.0.7:8080" })
 * const all = yield* party.members
 * ```
 *
 * **Guarantees**
 *
 * - When `join` has returned the member is there, and this client's own view shows it; it comes back under each session
 *   that follows. When its Scope closes it leaves.
 * - One who has joined finds itself among the members, whatever the servers show for the moment.
 * - Whoever dies is gone when its session has expired, and others see it leave once and, if it comes back, join once.
 * - Two who have one id are never taken for one: the later one waits, is told, or gets another id, as it likes.
 *
 * It does not guarantee that all see the same members at the same time; `settled` waits until nothing has moved for a
 * while, which is what those need who divide work among members. Nor does a member that is cut off know that others have
 * seen it leave.
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
 * How the znodes of members are named.
 *
 * - `curator`: by the id alone, as Curator's `GroupMember` has it; the default. An id is there once.
 * - `aiozk`: `<id>-<32 hex>-<number>`, of aiozk. Members are known by all but the number, so that an id may be there often.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "aiozk"

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
  /**
   * Which ephemeral children are members, by their names. What is not ephemeral is none, whatever its name. Default: all in
   * the layout `curator`; in `aiozk` those that are named so.
   */
  readonly filter?: ((name: string) => boolean) | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface JoinOptions {
  /** What others know the member by: a name without "/". Default: a new UUID. */
  readonly id?: string | undefined
  /** What others are shown of the member. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * What is done when another session has the id.
   *
   * - `fail`, the default: waits for as long as `expiryTimeout`, since it may be what a process left that has just died, and then
   *   fails with `MemberExists`.
   * - `wait`: waits until it is free.
   * - `suffix`: takes `<id>-2`, or the first number after it that is free.
   */
  readonly onConflict?: "fail" | "wait" | "suffix" | undefined
  /** How long a dead member is waited for under `fail`. Default: a session timeout. Numbers are milliseconds. */
  readonly expiryTimeout?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Data by the ids of members. What is given never changes.
 *
 * @category models
 * @since 0.1.0
 */
export type Members = ReadonlyMap<string, Uint8Array>

/**
 * Oneself as a member.
 *
 * @category models
 * @since 0.1.0
 */
export interface Membership {
  /** What others know this member by. */
  readonly id: string
  readonly path: string
  /** What has become of its znode; see `PersistentNode`. */
  readonly status: PersistentNode.Status
  /** The status, then each newer one. */
  readonly changes: Stream.Stream<PersistentNode.Status>
  /** Shows others this from now on; see `PersistentNode`. */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNode.PersistentNodeError>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Party {
  readonly path: string
  /** Who is there, as far as this client knows. Asks nobody. */
  readonly members: Effect.Effect<Members>
  /** How far that can be trusted; see `CacheEvent`. */
  readonly freshness: Freshness
  /** Who is there, then each change of that or of the data. */
  readonly changes: Stream.Stream<Members, RecipeError>
  /** `changes` that have lasted so long: what comes and goes meanwhile is left out. Numbers are milliseconds. */
  readonly settled: (quiet: Duration.Input) => Stream.Stream<Members, RecipeError>
  /** Joins until the Scope closes. */
  readonly join: (options?: JoinOptions) => Effect.Effect<Membership, JoinError, Scope.Scope>
}

/**
 * What can keep one from joining.
 *
 * @category errors
 * @since 0.1.0
 */
export type JoinError = MemberExists | PersistentNode.PersistentNodeError

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The party at a path, followed until the Scope closes. Returns when its members have been read.
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

/** Waits for the end of what is followed: the Scope that closes ends it, and is no failure. */
const endOf = (following: Fiber.Fiber<void, RecipeError>): Effect.Effect<void, RecipeError> =>
  Effect.flatMap(Fiber.await(following), (exit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Effect.void : exit
  )
