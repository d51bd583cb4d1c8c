/**
 * A znode that is there for as long as its owner is: an ephemeral one that comes back.
 *
 * ```ts
 * const node = yield* PersistentNode.make("/workers/seven", { data: "10.0.0.7:8080" })
 * yield* node.setData("10.0.0.7:8081")
 * ```
 *
 * An ephemeral znode is gone when its session has expired or somebody has deleted it; this one is then created again,
 * under the same name, with the data that it should have. It is deleted when the Scope closes.
 *
 * **Guarantees**
 *
 * - Once `make` has returned the znode is there, unless `wait` is false; and whenever it is not it is being created.
 * - A sequential znode keeps its number, and a protected one its name, for as long as nobody else has it.
 * - A znode of another owner at the path, such as the process that ran here before, is never touched: it is waited for
 *   until it has gone. One of a former session of this client is deleted.
 * - When the Scope has closed nothing is left, not even by a create whose reply was still to come.
 *
 * It does not guarantee that the znode is there at every moment: between an expiry and the next session it is not, and a
 * client that is cut off cannot know. Nor is it a lock: `Lock` tells of a loss in time.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { CreateMode } from "@effect-zookeeper/client/CreateMode"
import type { InvalidArgument, NoNode } from "@effect-zookeeper/client/Errors"
import type { CreateOptions, Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { RecipeError } from "./Errors.ts"
import * as KeepAlive from "./internal/persistentNode/keepAlive.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** What the znode holds, until `setData` says otherwise. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * Default `ephemeral`. With a time to live the znode outlives the session: a child of it named `touch` is written twice
   * in that time, so that the servers delete both some time after this process has gone.
   */
  readonly mode?: CreateMode | undefined
  /** For the modes with a time to live, which need one, and for no other; numbers are milliseconds. */
  readonly ttl?: Duration.Input | undefined
  /**
   * Puts an id into the name, by which a create whose reply was lost is found again; see `CreateOptions` of the client.
   * Default true for the sequential modes, whose name nobody would know otherwise, and false for the others.
   */
  readonly protected?: CreateOptions["protected"]
  /** Whether missing parents are created, as containers. Default true; otherwise the status says `NoNode`. */
  readonly parents?: boolean | undefined
  /** Whether data that others write is replaced by one's own. Default false: it stays until the next `setData`. */
  readonly restore?: boolean | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /** Whether `make` waits until the znode is there, and fails if the server refuses it. Default true. */
  readonly wait?: boolean | undefined
  /** Whether the znode is deleted when the Scope closes. Default true; an ephemeral one then goes with its session. */
  readonly deleteOnClose?: boolean | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What has become of the znode, as far as this client knows.
 *
 * - `Absent`: it is being created, or is about to be.
 * - `Present`: it is there, at `path`; `czxid` is the transaction that created it.
 * - `Blocked`: a znode of another owner (a session, or 0 for none) has the path; it is waited for until it has gone.
 * - `Refused`: the server does not let it be. It is tried again after `setData`, with the next connection, when a missing
 *   parent is there, and once a minute; not when the session has ended for good.
 * - `Closed`: its Scope has closed. Final.
 *
 * @category models
 * @since 0.1.0
 */
export type Status =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Present"; readonly path: string; readonly czxid: bigint }
  | { readonly _tag: "Blocked"; readonly path: string; readonly owner: bigint }
  | { readonly _tag: "Refused"; readonly error: PersistentNodeError }
  | { readonly _tag: "Closed" }

/**
 * What can keep the znode from being there; `NoNode` only where `parents` is false.
 *
 * @category errors
 * @since 0.1.0
 */
export type PersistentNodeError = RecipeError | NoNode

/**
 * @category models
 * @since 0.1.0
 */
export interface PersistentNode {
  /** As it was asked for. */
  readonly path: string
  /** As it was created, with its number or id; none before that. For the other modes it is `path`, from the beginning. */
  readonly actualPath: Option.Option<string>
  readonly status: Status
  /** The status, then each newer one; ends when it is `Closed`. */
  readonly changes: Stream.Stream<Status>
  /** Whether the status is `Present`. */
  readonly isPresent: boolean
  /** Waits until the znode is there and gives its path; fails if the server refuses it. */
  readonly present: Effect.Effect<string, PersistentNodeError>
  /**
   * Has the znode hold this from now on, and waits until it does. It will do so too when the wait is interrupted, as while
   * there is no connection: with the next one.
   */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNodeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Creates the znode and keeps it for as long as the Scope is open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<PersistentNode, PersistentNodeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      yield* Known.checkOptions(Known.persistentNode, options)
      const zk = yield* ZooKeeper.ZooKeeper
      const scope = yield* Scope.fork(yield* Effect.scope)
      const exit = yield* KeepAlive.make(zk, path, options).pipe(
        Effect.provideService(Scope.Scope, scope),
        Effect.tap((node) => (options.wait === false ? refusedArgument(node) : restore(node.present))),
        Effect.exit
      )
      if (Exit.isFailure(exit)) yield* Scope.close(scope, exit)
      return yield* exit
    })
  )

// ---- internal

/** A mistake in an argument is one of the caller, whether it waits or not. */
const refusedArgument = ({ status }: PersistentNode): Effect.Effect<void, InvalidArgument> =>
  status._tag === "Refused" && status.error._tag === "InvalidArgument" ? Effect.fail(status.error) : Effect.void
