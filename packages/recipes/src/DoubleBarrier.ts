/**
 * A barrier around work that a number of members do together: all begin when the last has come, and each goes on when all
 * have ended.
 *
 * Members are ephemeral znodes, and a znode `ready` beside them says that the barrier is open, as in Curator. It opens the
 * barrier only for members that were there when it was written: if it was left behind by members that have died, none of
 * the present ones is older than it. So there are generations without a counter.
 *
 * **Guarantees**
 *
 * - `enter` goes on only when `size` members were there at the same time, or when the barrier is open for members that are
 *   still there.
 * - `leave` goes on when all that were inside at the call have left or died.
 * - A member that gives up, by a timeout, an interruption or an error, leaves no znode behind, and so does not count.
 * - A waiting member survives lost connections and, with a new znode, lost sessions and the deletion of its znode.
 *
 * It does not guarantee that all counted members enter: one that gives up at that very moment is missing.
 *
 * @since 0.1.0
 */
import { awaitDetached, watchScoped } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { WaitOptions } from "./Barrier.ts"
import { type RecipeError, WaitTimeout } from "./Errors.ts"
import { deleteEphemeral } from "./internal/shared/sessionClose.ts"
import { makeBackoff, untilDefined } from "./internal/shared/backoff.ts"
import { toBytes } from "./internal/shared/bytes.ts"
import { makeDeadline } from "./internal/shared/clock.ts"
import { checkedTimeout, checkOptions, knownAcquire, knownOptions, type AclOptions } from "./internal/shared/options.ts"
import { ensureParents } from "./internal/shared/requests.ts"
import { orIfSessionReplaced, retryAcrossSessions, retryTransient } from "./internal/shared/retry.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclOptions {
  /** How many members have to be there; the same for all of them. */
  readonly size: number
  /** Written into the member's znode, to tell others who it is. Default: nothing. */
  readonly data?: Data | undefined
}

/**
 * One member's view of the barrier: every member makes its own. Its calls run one after the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface DoubleBarrier {
  readonly path: string
  readonly size: number
  /**
   * Waits until `size` members are there. With a timeout of 0 it looks once. After `WaitTimeout` this member does not
   * count any more.
   */
  readonly enter: (options?: WaitOptions) => Effect.Effect<void, WaitTimeout | RecipeError>
  /**
   * Leaves, and waits until all that are inside now have left. After `WaitTimeout` this member has left, and others have
   * not; called again, it goes on waiting for them. Returns at once if this member is not inside.
   */
  readonly leave: (options?: WaitOptions) => Effect.Effect<void, WaitTimeout | RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a member of the barrier at a path. Nothing is sent before it is used; when the Scope closes, the member has left.
 * Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { DoubleBarrier } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const member = Effect.gen(function* () {
 *   const barrier = yield* DoubleBarrier.make("/barriers/round", { size: 3 })
 *   yield* barrier.enter({ timeout: "1 minute" })
 *   yield* Effect.log("computing")
 *   yield* barrier.leave({ timeout: "1 minute" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options
): Effect.Effect<DoubleBarrier, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const size = yield* checkCount("size", options.size)
    const self: Self = {
      zk,
      path,
      size,
      data: toBytes(options.data ?? ""),
      acl: options.acl,
      memberPermit: Semaphore.makeUnsafe(1),
      member: undefined,
      inside: undefined,
      nonMembers: new Set()
    }
    yield* Effect.addFinalizer(() => withdraw(self))
    const alone = Semaphore.makeUnsafe(1)
    const bounded =
      (
        operation: Operation,
        run: (self: Self, wait: Wait, isOnce: boolean) => Effect.Effect<void, WaitTimeout | RecipeError>
      ) =>
      (options?: WaitOptions) =>
        Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) =>
          alone.withPermit(
            Effect.uninterruptibleMask((restore) =>
              Effect.flatMap(makeDeadline(timeout === 0 ? zk.session.timeout : timeout), (withDeadline) => {
                const timeoutError = () => new WaitTimeout({ path, operation, timeout: timeout ?? 0 })
                return run(self, (effect) => restore(withDeadline(effect, timeoutError)), timeout === 0)
              })
            )
          )
        )
    return { path, size, enter: bounded("enter", enter), leave: bounded("leave", leave) }
  })

// ---- internal

const known = knownOptions<Options>({ size: true, data: true, acl: true }, "{ size: 3 }")

/** Beside the members: its last write opened the barrier. */
const readyName = "ready"

type Operation = "enter" | "leave"

type Wait = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | WaitTimeout>

interface Self extends Options {
  readonly zk: ZooKeeper.Service
  readonly path: string
  /** Taken while a znode of this member may be there: a second one would be counted too, and let it enter alone. */
  readonly memberPermit: Semaphore.Semaphore
  /** While it enters, is inside, or is about to leave. */
  member: Member | undefined
  /** The members that `leave` waits for. */
  inside: ReadonlySet<string> | undefined
  /** The names of persistent znodes that look like those of members: such a znode would never leave. */
  readonly nonMembers: Set<string>
}

interface Member {
  readonly name: string
  readonly path: string
  readonly stat: Stat
}

const readyPath = ({ path }: Self) => ZnodePath.join(path, readyName)

/** Leaves, in the background if it takes longer than a second. */
const withdraw = (self: Self): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { member } = self
    self.member = undefined
    return member === undefined ? Effect.void : deleteMember(self, member)
  })

/** Notes that the znode is gone. */
const markGone = (self: Self): Effect.Effect<void> =>
  Effect.uninterruptible(
    Effect.suspend(() => {
      self.member = undefined
      return Effect.asVoid(self.memberPermit.release(1))
    })
  )

/** The next member of this client waits until this one is gone. */
const deleteMember = ({ memberPermit, zk }: Self, { path }: Member) =>
  deleteEphemeral(zk, path, memberPermit.release(1))

// ---- internal: entering

const enter = Effect.fnUntraced(function* (
  self: Self,
  wait: Wait,
  isOnce: boolean
): Effect.fn.Return<void, WaitTimeout | RecipeError> {
  self.inside = undefined
  const create = Effect.andThen(
    self.memberPermit.take(1),
    Effect.onError(createMember(self), () => self.memberPermit.release(1))
  )
  const backoff = yield* makeBackoff
  while (true) {
    yield* wait(backoff)
    const member = (self.member ??= yield* awaitDetached<Member, RecipeError, WaitTimeout>(wait, create, (member) =>
      Effect.asVoid(Effect.forkDetach(deleteMember(self, member), { startImmediately: true }))
    ))
    const exit = yield* Effect.exit(wait(awaitReady(self, member, isOnce)))
    if (Exit.isSuccess(exit) && exit.value === "Ready") return
    yield* withdraw(self)
    if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    if (exit.value === "Alone") return yield* new WaitTimeout({ path: self.path, operation: "enter", timeout: 0 })
  }
})

const createMember = (self: Self): Effect.Effect<Member, RecipeError> => {
  const { acl, data, path, zk } = self
  // The id is the name.
  const options = { mode: "ephemeral", data, acl, protected: (id: string) => id } as const
  return untilDefined(
    retryAcrossSessions(zk, zk.createWithStat(ZnodePath.join(path, "member"), options)).pipe(
      Effect.map(({ path, stat }): Member => ({ path, stat, name: ZnodePath.name(path) })),
      Effect.catchTag("NoNode", () => Effect.as(ensureParents(zk, path, acl), undefined)),
      Effect.catchTag("NodeExists", () => Effect.undefined)
    )
  )
}

/** `Gone` when the member's znode is gone, `Alone` when the others are missing and `isOnce` holds. */
const awaitReady = Effect.fnUntraced(
  function* (self: Self, member: Member, isOnce: boolean) {
    while (true) {
      const seen = yield* Effect.scoped(readState(self, member, isOnce))
      if (seen !== "Again") return seen
    }
  },
  Effect.catchTag("NoNode", () => Effect.succeed("Gone" as const)),
  (effect, { zk }) => orIfSessionReplaced(zk, effect, "Gone" as const)
)

const readState = Effect.fnUntraced(function* (self: Self, member: Member, isOnce: boolean) {
  const { path, size, zk } = self
  if (member.stat.ephemeralOwner !== zk.session.id) return "Gone" as const
  // The watch first: it does not miss an opening after the list was read.
  const { nextChange, stat } = yield* retryTransient(watchScoped(zk.existsAndWatch(readyPath(self))))
  const members = membersOf(self, yield* retryTransient(zk.getChildren(path)))
  if (!members.includes(member.name)) return "Gone" as const
  if (Option.isSome(stat) && (yield* isOpenFor(self, member, members, stat.value))) return "Ready" as const
  if (members.length >= size) {
    if (yield* findNonMembers(self, members)) return "Again" as const
    yield* open(self, stat)
    return "Again" as const
  }
  if (isOnce) return "Alone" as const
  // Its own znode too: without one it does not count, and has to enter again.
  const ownZnode = yield* retryTransient(watchScoped(zk.getAndWatch(member.path)))
  yield* Effect.raceFirst(Fiber.join(nextChange), Fiber.join(ownZnode.nextChange))
  return "Again" as const
})

/** Whether one of the present members was there when the barrier was opened. */
const isOpenFor = (self: Self, member: Member, members: ReadonlyArray<string>, { mzxid }: Stat) =>
  member.stat.czxid < mzxid
    ? Effect.succeed(true)
    : Effect.map(readMembers(self, members), (results) =>
        results.some(
          (result) =>
            Result.isSuccess(result) && result.success.stat.ephemeralOwner !== 0n && result.success.stat.czxid < mzxid
        )
      )

/** Each member that sees all of them opens the barrier; a `ready` that was left behind is written anew. */
const open = (self: Self, stat: Option.Option<Stat>): Effect.Effect<void, RecipeError> =>
  Option.isNone(stat)
    ? retryTransient(self.zk.create(readyPath(self), { acl: self.acl })).pipe(
        Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void),
        Effect.asVoid
      )
    : retryTransient(self.zk.set(readyPath(self), "")).pipe(
        Effect.catchTag(["NoNode", "BadVersion"], () => Effect.void),
        Effect.asVoid
      )

/** The names of members, in an order that is the same for all: UUIDs, with dashes as Curator writes them or without. */
const membersOf = ({ nonMembers }: Self, children: ReadonlyArray<string>): ReadonlyArray<string> =>
  children
    .filter((name) => /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(name) && !nonMembers.has(name))
    .toSorted()

/** Reads the znodes that have these names, all at once. */
const readMembers = ({ path, zk }: Self, members: ReadonlyArray<string>) =>
  retryTransient(zk.read(members.map((name) => Op.get(ZnodePath.join(path, name)))))

/** Notes which of these names are no member's, before they are counted as enough. Succeeds with whether there are any. */
const findNonMembers = (self: Self, members: ReadonlyArray<string>) =>
  Effect.map(readMembers(self, members), (results) => {
    const before = self.nonMembers.size
    for (const [index, result] of results.entries()) {
      if (Result.isSuccess(result) && result.success.stat.ephemeralOwner === 0n) self.nonMembers.add(members[index]!)
    }
    return self.nonMembers.size > before
  })

// ---- internal: leaving

const leave = Effect.fnUntraced(function* (self: Self, wait: Wait): Effect.fn.Return<void, WaitTimeout | RecipeError> {
  if (self.member === undefined && self.inside === undefined) return
  const exit = yield* Effect.exit(wait(retryAcrossSessions(self.zk, awaitOthers(self))))
  yield* withdraw(self)
  if (Exit.isSuccess(exit)) self.inside = undefined
  yield* exit
})

const awaitOthers = Effect.fnUntraced(
  function* (self: Self) {
    const { path, zk } = self
    while (true) {
      const ready = yield* zk.stat(readyPath(self))
      const members = membersOf(self, yield* zk.getChildren(path))
      if (self.member !== undefined && !members.includes(self.member.name)) yield* markGone(self)
      const { member } = self
      const inside = (self.inside ??= new Set(members))
      const left = members.filter((name) => inside.has(name))
      const others = left.filter((name) => name !== member?.name)
      const lowest = left[0]
      if (others.length === 0 || lowest === undefined) {
        if (member === undefined) return
        yield* leaveLast(self, member, members.length === 1 ? ready : Option.none())
      } else if (lowest === member?.name) {
        // It holds the barrier open for the others until the last of them has gone.
        yield* awaitMember(self, others[others.length - 1]!)
      } else {
        if (member !== undefined) yield* deleteOwn(self, member)
        yield* awaitMember(self, lowest)
      }
    }
  },
  // Without the parent there are no members.
  Effect.catchTag("NoNode", () => Effect.void)
)

/** Waits until a member's znode changes. Where the znode is no member's, that is noted instead. */
const awaitMember = ({ path, nonMembers, zk }: Self, name: string): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(
      retryTransient(watchScoped(zk.getAndWatch(ZnodePath.join(path, name)))),
      ({ nextChange, stat }): Effect.Effect<void, RecipeError> => {
        if (stat.ephemeralOwner !== 0n) return Effect.asVoid(Fiber.join(nextChange))
        nonMembers.add(name)
        return Effect.void
      }
    )
  ).pipe(Effect.catchTag("NoNode", () => Effect.void))

const deleteOwn = (self: Self, member: Member) =>
  Effect.catchTag(self.zk.delete(member.path), ["NoNode", "BadVersion", "NotEmpty"], () => Effect.void)

/**
 * Leaves and closes the barrier in one transaction, unless another member has come and opened it anew: the next look
 * tells.
 */
const leaveLast = (self: Self, member: Member, ready: Option.Option<Stat>) =>
  Option.isNone(ready)
    ? deleteOwn(self, member)
    : Effect.catchTag(
        self.zk.transaction([Op.delete(member.path), Op.delete(readyPath(self), { version: ready.value.version })]),
        "TransactionFailed",
        ({ error }) => (error._tag === "NoNode" || error._tag === "BadVersion" ? Effect.void : deleteOwn(self, member))
      )
