/**
 * Keeping one znode in being: a fiber that compares what is there with what should be, and waits for either to change.
 *
 * Whoever holds the znode is told by its Stat alone, never by what a create has answered: a create that finds the znode
 * there may have found its own, made before a reply was lost.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { CreateOptions, Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Options, PersistentNode, PersistentNodeError, Status } from "../PersistentNode.ts"
import { makeCalmly } from "./calmly.ts"
import { leave } from "./holding.ts"
import { ensure } from "./line.ts"
import { acrossSessions, isRenewed, patiently } from "./patience.ts"
import { inHand, watched } from "./watching.ts"

/** The child that is written to keep a znode with a time to live; Curator's name for it. */
const touchName = "touch"

/** How often it is asked whether a refusal still holds. */
const patience = "1 minute"

/** How long a close waits for what it deletes; the deletion goes on. */
const goodbye = "1 second"

/** Begins to keep a znode, until the Scope closes. */
export const make = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  options: Options
): Effect.fn.Return<PersistentNode, never, Scope.Scope> {
  const self: Self = {
    zk,
    path,
    mode: options.mode ?? "ephemeral",
    options,
    status: yield* SubscriptionRef.make<Status>({ _tag: "Absent" }),
    nudge: Latch.makeUnsafe(),
    calmly: yield* makeCalmly,
    sessions: new Set(),
    actual: undefined,
    mayExist: false,
    czxid: undefined,
    data: bytesOf(options.data ?? ""),
    isWritten: false,
    waiting: []
  }
  if (!isNamedByServer(self)) self.actual = path
  // Its interruption is part of the closing: what it has in flight is known when it has ended.
  const keeping = yield* Effect.forkDetach(keep(self), { startImmediately: true })
  yield* Effect.addFinalizer(() => Effect.andThen(Fiber.interrupt(keeping), close(self)))
  const { status } = self
  return {
    path,
    get actualPath() {
      return Option.fromUndefinedOr(self.actual)
    },
    get status() {
      return SubscriptionRef.getUnsafe(status)
    },
    get isPresent() {
      return SubscriptionRef.getUnsafe(status)._tag === "Present"
    },
    changes: Stream.takeUntil(SubscriptionRef.changes(status), ({ _tag }) => _tag === "Closed"),
    present: present(self),
    setData: (data) => setData(self, data)
  }
})

// -----------------------------------------------------------------------------
// state
// -----------------------------------------------------------------------------

interface Self {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly mode: CreateMode.CreateMode
  readonly options: Options
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /** Open when there is something to be done that no watch tells. */
  readonly nudge: Latch.Latch
  /** Pauses before what has been done often of late. */
  readonly calmly: Effect.Effect<void>
  /** The sessions that may have created the znode. */
  readonly sessions: Set<bigint>
  /** Where the znode is or will be; undefined while the server has yet to name it. */
  actual: string | undefined
  /** A create was sent, and nothing has shown since that there is no such znode. */
  mayExist: boolean
  /** The znode that was seen last. */
  czxid: bigint | undefined
  data: Uint8Array
  /** Whether the znode has held `data`. */
  isWritten: boolean
  waiting: Array<Deferred.Deferred<void, PersistentNodeError>>
}

const isNamedByServer = ({ mode, options }: Self) => CreateMode.isSequential(mode) || isProtected(mode, options)

const isProtected = (mode: CreateMode.CreateMode, options: Options) =>
  (options.protected ?? CreateMode.isSequential(mode)) !== false

/** Data as the bytes that it is written as. */
export const bytesOf = (data: Data): Uint8Array => (typeof data === "string" ? new TextEncoder().encode(data) : data)

const setStatus = ({ status }: Self, next: Status): Effect.Effect<void> =>
  Effect.suspend(() =>
    Equal.equals(SubscriptionRef.getUnsafe(status), next) ? Effect.void : SubscriptionRef.set(status, next)
  )

const isClosed = ({ status }: Self): boolean => SubscriptionRef.getUnsafe(status)._tag === "Closed"

const present = ({ status }: Self): Effect.Effect<string, PersistentNodeError> =>
  SubscriptionRef.changes(status).pipe(
    Stream.filter((current) => current._tag !== "Absent" && current._tag !== "Blocked"),
    Stream.runHead,
    Effect.flatMap((first): Effect.Effect<string, PersistentNodeError> => {
      const current = Option.getOrUndefined(first)
      if (current?._tag === "Present") return Effect.succeed(current.path)
      return Effect.fail(current?._tag === "Refused" ? current.error : new SessionClosed())
    })
  )

const setData = (self: Self, data: Data): Effect.Effect<void, PersistentNodeError> =>
  Effect.suspend(() => {
    const status = SubscriptionRef.getUnsafe(self.status)
    if (status._tag === "Closed") return Effect.fail(new SessionClosed())
    // Nobody is left to write it.
    if (status._tag === "Refused" && isFinal(status.error)) return Effect.fail(status.error)
    const written = Deferred.makeUnsafe<void, PersistentNodeError>()
    self.data = bytesOf(data)
    self.isWritten = false
    self.waiting.push(written)
    self.nudge.openUnsafe()
    return Deferred.await(written)
  })

/** Tells those who wait for their data to be written. */
const answer = (self: Self, outcome: Effect.Effect<void, PersistentNodeError>): void => {
  const { waiting } = self
  self.waiting = []
  for (const written of waiting) Deferred.doneUnsafe(written, outcome)
}

// -----------------------------------------------------------------------------
// the loop
// -----------------------------------------------------------------------------

const keep = Effect.fnUntraced(function* (self: Self) {
  while (true) {
    self.nudge.closeUnsafe()
    const outcome = yield* Effect.result(Effect.scoped(attend(self)))
    if (outcome._tag === "Success") continue
    const error = outcome.failure
    if (error._tag === "SessionExpired" && CreateMode.isEphemeral(self.mode)) yield* setStatus(self, { _tag: "Absent" })
    if (yield* isRenewed(self.zk, error)) continue
    // In this order: whoever comes after the answer is told by the status.
    yield* setStatus(self, { _tag: "Refused", error })
    answer(self, Effect.fail(error))
    if (isFinal(error)) return
    yield* awaitRemedy(self, error)
  }
})

const isFinal = ({ _tag }: PersistentNodeError): boolean =>
  _tag === "SessionExpired" || _tag === "SessionClosed" || _tag === "AuthFailed"

/** Sees to it that the znode is as it should be, and stays until that may have changed. */
const attend = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<void, PersistentNodeError, Scope.Scope> {
  const { options, zk } = self
  const path = self.mayExist && self.actual !== undefined ? self.actual : yield* create(self)
  const seen = yield* Effect.catchTag(watched(patiently(zk.getAndWatch(path))), "NoNode", () => Effect.undefined)
  if (seen === undefined) return yield* gone(self)
  const { changing, data, stat } = seen
  switch (judge(self, stat)) {
    case "Foreign":
      return yield* yieldTo(self, path, stat, changing)
    case "Past":
      // Made by a former session, which the servers have yet to end.
      yield* Effect.catchTag(
        patiently(zk.delete(path, { version: stat.version })),
        ["NoNode", "BadVersion", "NotEmpty"],
        () => Effect.void
      )
      return yield* gone(self)
  }
  const isOurs = Equal.equals(data, self.data)
  if (!isOurs && (options.restore === true || !self.isWritten || stat.czxid !== self.czxid)) {
    if (self.isWritten && stat.czxid === self.czxid) yield* self.calmly
    return yield* write(self, path, stat)
  }
  self.czxid = stat.czxid
  forgetFormer(self)
  if (isOurs) holds(self, self.data)
  yield* setStatus(self, { _tag: "Present", path, czxid: stat.czxid })
  if (CreateMode.hasTtl(self.mode)) yield* Effect.forkScoped(keepTouching(self, path), { startImmediately: true })
  const change = yield* Effect.raceFirst(Fiber.join(changing), self.nudge.await)
  if (change?.type === "NodeDeleted") yield* gone(self)
})

/** Writes the data; where somebody else was faster, the next look tells. */
const write = (self: Self, path: string, { czxid, version }: Stat): Effect.Effect<void, PersistentNodeError> => {
  const { data } = self
  return patiently(self.zk.setData(path, data, { version })).pipe(
    Effect.map(() => {
      self.czxid = czxid
      holds(self, data)
    }),
    Effect.catchTag(["NoNode", "BadVersion"], () => Effect.void)
  )
}

/** The znode has held this: whoever waits for it is told. */
const holds = (self: Self, data: Uint8Array): void => {
  if (data !== self.data) return
  self.isWritten = true
  answer(self, Effect.void)
}

const judge = ({ mode, sessions, zk }: Self, { ephemeralOwner }: Stat): "Own" | "Past" | "Foreign" => {
  if (!CreateMode.isEphemeral(mode)) return ephemeralOwner === 0n ? "Own" : "Foreign"
  if (ephemeralOwner === zk.session.id) return "Own"
  return sessions.has(ephemeralOwner) ? "Past" : "Foreign"
}

const gone = (self: Self): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.mayExist = false
    return setStatus(self, { _tag: "Absent" })
  })

/** Another has the path: it keeps it. What the server names is named anew; for any other it is waited for. */
const yieldTo = Effect.fnUntraced(function* <E>(
  self: Self,
  path: string,
  { ephemeralOwner }: Stat,
  changing: Fiber.Fiber<{ readonly type: string }, E>
) {
  yield* gone(self)
  if (isNamedByServer(self)) {
    self.actual = undefined
    return
  }
  yield* setStatus(self, { _tag: "Blocked", path, owner: ephemeralOwner })
  const { type } = yield* Fiber.join(changing)
  if (type !== "NodeDeleted") yield* self.calmly
})

/** Creates the znode, or finds that there is one; gives its path. */
const create = Effect.fnUntraced(function* (self: Self): Effect.fn.Return<string, PersistentNodeError> {
  const { options, zk } = self
  if (self.czxid !== undefined) yield* self.calmly
  while (true) {
    const asked = self.actual
    const request: CreateOptions = {
      data: self.data,
      acl: options.acl,
      ttl: options.ttl,
      mode: asked === undefined ? self.mode : exactly(self.mode),
      protected: asked === undefined ? (options.protected ?? isProtected(self.mode, options)) : false
    }
    remember(self)
    if (asked !== undefined) self.mayExist = true
    // Whoever stops to wait for it, by a close, does not stop it: it is not asked again, and deleted if it succeeds.
    const once = Effect.suspend(() =>
      isClosed(self) ? Effect.fail(new SessionClosed()) : zk.create(asked ?? self.path, request)
    )
    const outcome = yield* Effect.uninterruptibleMask((restore) =>
      inHand(restore, patiently(once), (path) =>
        isClosed(self) && options.deleteOnClose !== false ? remove(self, path) : Effect.sync(() => created(self, path))
      ).pipe(
        Effect.tap((path) => Effect.sync(() => created(self, path))),
        Effect.result
      )
    )
    if (outcome._tag === "Success") return outcome.success
    const error = outcome.failure
    if (error._tag === "NodeExists") {
      if (asked !== undefined) return asked
      // Nobody else has an id; without one, the counter of a parent that was created anew is behind the names in it.
      yield* self.calmly
      continue
    }
    self.mayExist = false
    if (error._tag !== "NoNode") return yield* error
    if (options.parents === false) return yield* error
    yield* ensure(zk, ZnodePath.parent(self.path) ?? "/", options.acl)
  }
})

const created = (self: Self, path: string): void => {
  self.actual = path
  self.mayExist = true
  remember(self)
}

/** Notes the session of the moment as one that may have created the znode. */
const remember = ({ sessions, zk }: Self): void => {
  if (zk.session.id !== 0n) sessions.add(zk.session.id)
}

/** With a znode of this session there is none of a former one, under a name that is always the same. */
const forgetFormer = (self: Self): void => {
  if (self.actual !== self.path) return
  self.sessions.clear()
  remember(self)
}

/** The mode in which a znode that had a number gets the same again. */
const exactly = (mode: CreateMode.CreateMode): CreateMode.CreateMode => {
  switch (mode) {
    case "ephemeralSequential":
      return "ephemeral"
    case "persistentSequential":
      return "persistent"
    case "persistentSequentialWithTtl":
      return "persistentWithTtl"
    default:
      return mode
  }
}

/** Waits for something that may have changed the server's mind. */
const awaitRemedy = (self: Self, error: PersistentNodeError): Effect.Effect<void> => {
  const remedies = [self.nudge.await, nextConnection(self.zk), Effect.sleep(patience)]
  if (error._tag === "NoNode") remedies.push(parentCreated(self))
  return Effect.raceAllFirst(remedies)
}

const nextConnection = ({ session }: ZooKeeper.Service): Effect.Effect<void> =>
  session.states.pipe(
    Stream.dropWhile(({ _tag }) => _tag === "Connected"),
    Stream.filter(({ _tag }) => _tag === "Connected"),
    Stream.runHead,
    Effect.asVoid
  )

const parentCreated = ({ path, zk }: Self): Effect.Effect<void> =>
  watched(patiently(zk.existsAndWatch(ZnodePath.parent(path) ?? "/"))).pipe(
    Effect.flatMap(({ changing, stat }) => (Option.isSome(stat) ? Effect.void : Effect.asVoid(Fiber.join(changing)))),
    Effect.scoped,
    // Forbidden to look: the other remedies are left.
    Effect.catch(() => Effect.never)
  )

/**
 * Writes a child of the znode twice in a time to live: a znode with children does not expire, and its own data changes for
 * nobody who watches it.
 */
const keepTouching = ({ options, zk }: Self, path: string): Effect.Effect<void> => {
  const child = ZnodePath.join(path, touchName)
  const ttl = Duration.fromInputUnsafe(options.ttl ?? 0)
  return patiently(zk.set(child, "")).pipe(
    Effect.catchTag("NoNode", () => patiently(zk.create(child, { mode: "persistentWithTtl", ttl, acl: options.acl }))),
    // Whatever keeps the child from being written is tried again; that the znode has gone is for its watch to tell.
    Effect.catch(({ _tag, message }) =>
      _tag === "NoNode" || _tag === "NodeExists"
        ? Effect.void
        : Effect.logWarning(`${child} is not written: ${message}`)
    ),
    Effect.andThen(Effect.sleep(Duration.times(ttl, 0.5))),
    Effect.forever
  )
}

// -----------------------------------------------------------------------------
// the end
// -----------------------------------------------------------------------------

/** Deletes the znode, and one that a create may yet have made; never another's. */
const close = Effect.fnUntraced(function* (self: Self) {
  const isOurs = SubscriptionRef.getUnsafe(self.status)._tag === "Present" && CreateMode.isEphemeral(self.mode)
  answer(self, Effect.fail(new SessionClosed()))
  yield* setStatus(self, { _tag: "Closed" })
  // What a create without an answer makes under a name of the server's is deleted when that comes.
  if (!self.mayExist || self.actual === undefined || self.options.deleteOnClose === false) return
  yield* isOurs ? leave(self.zk, self.actual) : remove(self, self.actual)
})

/** Looks first, whatever the session; what does not go with a session is deleted in the next one, if need be. */
const remove = (self: Self, path: string): Effect.Effect<void> => {
  const { mode, zk } = self
  const delete_ = (path: string) => Effect.catchTag(zk.delete(path), ["NoNode", "BadVersion"], () => Effect.void)
  const once = Effect.gen(function* () {
    yield* zk.sync(path)
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || judge(self, stat.value) === "Foreign") return
    if (CreateMode.hasTtl(mode)) yield* delete_(ZnodePath.join(path, touchName))
    yield* delete_(path)
  })
  const removing = acrossSessions(zk, once).pipe(
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`${path} could not be deleted: ${error.message}`))
  )
  return Effect.flatMap(Effect.forkDetach(removing, { startImmediately: true }), (fiber) =>
    Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), goodbye))
  )
}
