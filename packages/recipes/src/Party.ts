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
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
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
import type { RecipeError } from "./Errors.ts"
import { join } from "./internal/party/join.ts"
import { follow, makeMembershipView, refresh } from "./internal/party/MembershipView.ts"
import type { JoinError, JoinOptions, Members, Membership, Options } from "./internal/party/model.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"
import { checkTimeout } from "./internal/shared/validate.ts"

export type { JoinError, JoinOptions, Layout, Members, Membership, Options } from "./internal/party/model.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

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
    yield* checkOptions(known, options)
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
      join: (options) => Effect.andThen(checkOptions(knownJoin, options), join(view, options ?? {}))
    }
  })

// ---- internal

const known = knownOptions<Options>({ layout: true, filter: true, acl: true }, '{ layout: "curator" }')

const knownJoin = knownOptions<JoinOptions>(
  { id: true, data: true, onConflict: true, expiryTimeout: true },
  '{ id: "worker-1" }'
)

/** Waits for the end of the following fiber: a Scope that closes ends it without a failure. */
const endOf = (following: Fiber.Fiber<void, RecipeError>): Effect.Effect<void, RecipeError> =>
  Effect.flatMap(Fiber.await(following), (exit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Effect.void : exit
  )
