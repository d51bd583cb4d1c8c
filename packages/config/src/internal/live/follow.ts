/**
 * Follows a sub-tree: reads it as it was at one moment, again after each event, and decodes what it has read.
 *
 * Events only cause reads. A change after a moment that was read has an event, or a `Gap`, so that another read follows it.
 */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import { SessionClosed, type SessionError } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Config from "effect/Config"
import { ConfigError } from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { SnapshotFile } from "../../SnapshotFile.ts"
import { followEvents, isFinal } from "../followEvents.ts"
import type { ReadError, Snapshot } from "../snapshot/model.ts"
import { type Limits, readSnapshot } from "../snapshot/readSnapshot.ts"
import type { LiveState } from "./LiveState.ts"
import type { ReadTrigger } from "./ReadTrigger.ts"

export interface Follower<A> {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly limits: Limits
  /** Milliseconds between two reads where no watch tells of changes. */
  readonly pollInterval: number
  readonly decode: (snapshot: Snapshot) => Effect.Effect<A, Config.ConfigError>
  readonly file: SnapshotFile | undefined
  readonly state: LiveState<A>
  readonly due: ReadTrigger
  /** Each state of the tree that was read, and each failure to read it. */
  readonly onRead: (outcome: Result.Result<void, ReadError | Config.ConfigError>) => void
}

/** Registers the watch and causes a read for each event; returns when the session has ended for good. */
export const watch = <A>({ due, path, pollInterval, zk }: Follower<A>): Effect.Effect<void> => {
  const poll = Effect.repeat(
    Effect.sync(() => due.onGap()),
    Schedule.jittered(Schedule.spaced(pollInterval))
  )
  return followEvents({
    zk,
    path,
    // A `Gap` comes with each new connection.
    onEvent: ({ type }) => (type === "Gap" ? due.onGap() : due.open()),
    onReady: () => due.onGap(),
    whileLost: (error, isNews) => {
      // The session has moved to a server that is too old, or began there: it is not asked each minute.
      if (Outcome.isUnimplemented(error)) return Effect.fail(error)
      const warning = `no watch tells of changes of the configuration at ${Printable.escape(path)}, which is read every ${pollInterval} ms until one does: ${error.message}`
      return Effect.andThen(isNews ? Effect.logWarning(warning) : Effect.void, poll)
    }
  }).pipe(
    Effect.catchIf(Outcome.isUnimplemented, () => Effect.asVoid(poll)),
    // The reads report why the session has ended.
    Effect.catch(() => Effect.sync(() => due.open()))
  )
}

/** Follows the states of the session. */
export const followSession = <A>({ due, state, zk }: Follower<A>): Effect.Effect<void> =>
  Effect.andThen(
    Stream.runForEach(zk.session.states, ({ _tag }) =>
      Effect.sync(() => {
        if (_tag === "Connected") due.onGap()
        else state.setFreshness("stale")
      })
    ),
    // No other state follows: the read reports the reason.
    Effect.sync(() => due.open())
  )

/** Reads and decodes whenever that is due, until the session has ended for good. */
export const readWhenDue = Effect.fnUntraced(function* <A>(self: Follower<A>): Effect.fn.Return<void> {
  const { due, file, limits, path, state, zk } = self
  let before: Snapshot | undefined
  let readIn: { readonly id: bigint; readonly history: number } | undefined
  let failures = 0
  let again: Fiber.Fiber<void> | undefined
  while (true) {
    yield* due.await
    if (again !== undefined) yield* Fiber.interrupt(again)
    due.begin()
    const { history, id } = zk.session
    const isNewSession = readIn !== undefined && (readIn.id !== id || readIn.history !== history)
    // The first value after an expiry is a fresh one. That it is no older one is due to the session, which never joins a
    // server that has seen less. The file may be of a session that has seen more than this one.
    const isFirstBesideFile = readIn === undefined && file !== undefined
    const synced = isNewSession || isFirstBesideFile ? sync(self, isNewSession) : Effect.void
    const known = readIn?.history === history ? before : undefined
    const outcome = yield* Effect.result(Effect.andThen(synced, readSnapshot(zk, path, limits, known)))
    if (Result.isFailure(outcome)) {
      if (isFinal(outcome.failure)) return yield* end(self, outcome.failure)
      const isGivenUp = Outcome.isGivenUp(outcome.failure)
      // The next connection is no reason to repeat a read that has cost eight.
      if (isGivenUp) due.holdBack()
      yield* report(self, outcome.failure)
      const pause = yield* pauseAfter(failures++)
      // A read that may succeed later is repeated, with growing pauses.
      again = yield* Effect.forkChild(
        Effect.delay(
          Effect.sync(() => due.open()),
          isGivenUp ? yield* Outcome.longPause : pause
        )
      )
      // A change is a reason, but there may be many.
      const ended = Effect.andThen(
        sessionEnd(zk),
        Effect.sync(() => due.open())
      )
      if (isGivenUp) yield* Effect.raceFirst(Effect.sleep(pause), ended)
      continue
    }
    failures = 0
    readIn = { id, history }
    const snapshot = outcome.success
    const isNews = before === undefined || !isSameTree(before, snapshot)
    before = snapshot
    if (isNews || !state.hasValue || state.hasProblem) yield* takeOver(self, snapshot)
    else if (isConnected(self)) state.setFreshness("live")
  }
})

/** Decodes a state of the tree. Only then it is shown. */
const takeOver = Effect.fnUntraced(function* <A>(self: Follower<A>, snapshot: Snapshot): Effect.fn.Return<void> {
  const decoded = yield* Effect.result(self.decode(snapshot))
  // An outage may have begun meanwhile.
  const freshness = isConnected(self) ? "live" : undefined
  if (Result.isFailure(decoded)) return yield* report(self, decoded.failure, freshness)
  self.state.publish(decoded.success, "tree", freshness)
  self.onRead(Result.void)
  if (self.file === undefined) return
  yield* Effect.catch(self.file.save(snapshot), (error) => Effect.logWarning(error.message))
})

/** Keeps the last good value, and says why. */
const report = Effect.fnUntraced(function* <A>(
  { onRead, path, state }: Follower<A>,
  problem: ReadError | Config.ConfigError,
  freshness?: "live"
): Effect.fn.Return<void> {
  const isNews = state.reject(problem, freshness)
  if (isNews && state.hasValue) {
    yield* Effect.logWarning(
      `the configuration at ${Printable.escape(path)} is not taken over, and the last good one is kept: ${Printable.escape(problem.message)}`
    )
  }
  onRead(Result.fail(problem))
})

const end = <A>({ onRead, path, state }: Follower<A>, error: SessionError): Effect.Effect<void> => {
  state.end(error)
  onRead(Result.fail(error))
  if (error instanceof SessionClosed) return Effect.void
  return Effect.logWarning(`the configuration at ${Printable.escape(path)} is not followed any more: ${error.message}`)
}

/** Decodes the values of a provider; an exception of the application's own functions is a failure to decode. */
export const decodeWith = <A>(
  config: Config.Config<A>,
  provider: () => ConfigProvider.ConfigProvider
): Effect.Effect<A, Config.ConfigError> =>
  Effect.suspend(() => config.parse(provider())).pipe(
    Effect.catchDefect((defect) =>
      // The exception may quote the data.
      Effect.fail(new ConfigError(new ConfigProvider.SourceError({ message: `the Config threw ${nameOf(defect)}` })))
    )
  )

// ---- internal

/** A server that serves reads alone refuses a sync, and is read as it is where none is needed. */
const sync = <A>({ path, zk }: Follower<A>, isNeeded: boolean) => {
  const once = Effect.catchIf(
    zk.sync(path),
    (error) => !isNeeded && error._tag === "ServerRefused" && error.name === "NotReadOnly",
    () => Effect.void
  )
  return Outcome.retryAcrossSessions(zk.session, once)
}

const isConnected = <A>({ zk }: Follower<A>): boolean => zk.session.state._tag === "Connected"

const nameOf = (defect: unknown): string => (defect instanceof Error ? defect.name : typeof defect)

/** Waits until the session has ended for good. */
const sessionEnd = ({ session }: ZooKeeper.Service): Effect.Effect<void> => Stream.runDrain(session.states)

/** Milliseconds, from a quarter of a second to half a minute. */
const pauseAfter = (failures: number): Effect.Effect<number> =>
  Effect.map(Random.nextBetween(0.8, 1.2), (jitter) => jitter * Math.min(30_000, 250 * 2 ** failures))

const isSameTree = (a: Snapshot, b: Snapshot): boolean => {
  if (a.zxid !== b.zxid || a.znodes.size !== b.znodes.size) return false
  for (const [path, znode] of b.znodes) {
    const before = a.znodes.get(path)
    if (before?.czxid !== znode.czxid || before.mzxid !== znode.mzxid) return false
  }
  return true
}
