/**
 * The mark of whoever works on an item: an ephemeral znode beside it, of the item's name. It is put together with a write of
 * the item's own data, which moves the item's version one step on. So the version counts how often the item was taken, and it
 * is what tells one taker's hold from the next one's: a mark has the same path and version whoever puts it.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { DataInvalid, type RecipeError } from "../Errors.ts"
import { deleteBorn } from "./birth.ts"
import { pause } from "./compareAndSet.ts"
import type { Entry } from "./entries.ts"
import { unlessClosing } from "./holding.ts"
import { ensure } from "./line.ts"
import { acrossSessions, isRenewed } from "./patience.ts"
import { find, makePlace, type Store } from "./queue.ts"
import { isAboutZnodes } from "./witness.ts"

/** An item with its mark beside it. */
export interface Marked {
  readonly mark: string
  /** What is in the mark. */
  readonly id: string
  /** The version that the item has had since; undefined where we may not write it, so that nothing tells the hold but the mark. */
  readonly version: number | undefined
}

// -----------------------------------------------------------------------------
// putting
// -----------------------------------------------------------------------------

/** Puts a mark beside an item that was read; undefined when another was faster. */
export const put = Effect.fnUntraced(function* <A>(
  store: Store<A>,
  path: string,
  { data, stat }: DataAndStat,
  mark: string,
  id: string
): Effect.fn.Return<Marked | undefined, RecipeError> {
  const { acl, places, zk } = store
  const ops = [Op.create(mark, { mode: "ephemeral", data: id, acl }), Op.setData(path, data, { version: stat.version })]
  while (true) {
    yield* unlessClosing(zk)
    const sent = yield* Effect.result(zk.transaction(ops))
    if (Result.isSuccess(sent)) return { mark, id, version: stat.version + 1 }
    const error = sent.failure
    if (error._tag === "TransactionFailed") {
      const refused = error.error
      if (error.index === 1 && refused._tag === "NoAuth") return yield* putAlone(store, path, stat.czxid, mark, id)
      if (!isAboutZnodes(refused)) return yield* Effect.fail(refused)
      if (error.index === 1 || refused._tag !== "NoNode") return undefined
      yield* ensure(zk, places.taken, acl)
      continue
    }
    // An item as large as a request may be has no room for a mark beside it.
    if (error._tag === "FrameTooLarge") return yield* putAlone(store, path, stat.czxid, mark, id)
    if (Outcome.mayBeApplied(error)) {
      // As one: a look at another server than the sync could be a look at the past.
      const look = acrossSessions(zk, Effect.andThen(zk.sync(mark), zk.get(mark)))
      const there = yield* Effect.catchTag(look, "NoNode", () => Effect.undefined)
      if (there !== undefined) {
        const isOurs = isBy(there, id) && there.stat.ephemeralOwner === zk.session.id
        return isOurs ? { mark, id, version: stat.version + 1 } : undefined
      }
    } else if (Outcome.isLost(error) || Outcome.isTransient(error)) {
      yield* pause(100)
    } else if (!(yield* isRenewed(zk, error))) {
      return yield* Effect.fail(error)
    }
  }
})

/** The mark without the write. The item may have been finished meanwhile. */
const putAlone = Effect.fnUntraced(function* <A>(
  { acl, places, zk }: Store<A>,
  path: string,
  czxid: bigint,
  mark: string,
  id: string
): Effect.fn.Return<Marked | undefined, RecipeError> {
  const once: Effect.Effect<boolean, RecipeError> = acrossSessions(
    zk,
    zk.create(mark, { mode: "ephemeral", data: id, acl, idempotent: true })
  ).pipe(
    Effect.as(true),
    Effect.catchTag("NoNode", () => Effect.andThen(ensure(zk, places.taken, acl), once)),
    // It may be ours, of an attempt that could not be told about.
    Effect.catchTag("NodeExists", () => Effect.map(find(zk, mark), (found) => found !== undefined && isBy(found, id)))
  )
  if (!(yield* once)) return undefined
  if ((yield* find(zk, path))?.stat.czxid === czxid) return { mark, id, version: undefined }
  yield* takeAway(zk, { mark, id })
  return undefined
})

// -----------------------------------------------------------------------------
// taking away
// -----------------------------------------------------------------------------

/** Takes a mark away if it is ours: another's may stand in its place by then. Waits for it a second at most. */
export const takeAway = (zk: ZooKeeper.Service, { id, mark }: Pick<Marked, "mark" | "id">): Effect.Effect<void> =>
  takeOwnAway(zk, mark, id).pipe(
    // Who may not read may not be left with what stands in others' way; a session that has ended took it along.
    Effect.catch((error) => (error._tag === "NoAuth" ? takeSessionsAway(zk, mark) : Effect.void)),
    zk.session.closing.giveBack
  )

/** Looks again before each attempt: a delete that is repeated blindly would hit the mark of whoever came since. */
const takeOwnAway = (zk: ZooKeeper.Service, mark: string, id: string) =>
  Effect.suspend(() => {
    let isAgain = false
    const attempt = Effect.gen(function* () {
      // A server that lags would show what a lost reply was about.
      if (isAgain) yield* zk.sync(mark)
      isAgain = true
      const found = yield* zk.get(mark)
      if (!isBy(found, id) || found.stat.ephemeralOwner !== zk.session.id) return
      yield* zk.delete(mark, { version: found.stat.version })
    })
    return Effect.catchTag(acrossSessions(zk, attempt), ["NoNode", "BadVersion", "NotEmpty"], () => Effect.void)
  })

const takeSessionsAway = (zk: ZooKeeper.Service, mark: string) =>
  Effect.suspend(() => {
    const session = zk.session.id
    return Effect.ignore(
      acrossSessions(
        zk,
        deleteBorn(zk, mark, ({ ephemeralOwner }) => ephemeralOwner === session)
      )
    )
  })

const isBy = (found: DataAndStat, id: string): boolean => new TextDecoder().decode(found.data) === id

// -----------------------------------------------------------------------------
// giving up
// -----------------------------------------------------------------------------

/** Whether an item has been taken as often as it may be. */
export const isSpent = <A>({ deadLetters }: Store<A>, { stat }: DataAndStat): boolean =>
  deadLetters !== undefined && stat.version >= deadLetters.maxAttempts

/**
 * Moves an item to the dead letters, in one transaction that fits that very item in the state in which it was read, and only
 * while nobody works on it. Sent again after a lost reply it finds the item gone.
 */
export const bury = <A>(
  store: Store<A>,
  path: string,
  entry: Entry,
  { data, stat }: DataAndStat,
  mark: string
): Effect.Effect<void, DataInvalid | RecipeError> => {
  const { acl, deadLetters, naming, places, zk } = store
  if (deadLetters === undefined) return Effect.void
  const once: Effect.Effect<void, DataInvalid | RecipeError> = acrossSessions(
    zk,
    zk.transaction([
      Op.create(mark, { mode: "ephemeral", acl }),
      Op.delete(path, { version: stat.version }),
      Op.create(ZnodePath.join(deadLetters.path, naming.prefix(entry.priority)), {
        mode: "persistentSequential",
        data,
        acl
      }),
      Op.delete(mark)
    ])
  ).pipe(
    Effect.asVoid,
    Effect.catchTag("TransactionFailed", ({ error, index }) => {
      if (error._tag === "NoNode" && index === 0) return Effect.andThen(ensure(zk, places.taken, acl), once)
      if (error._tag === "NoNode" && index === 2) return Effect.andThen(makePlace(store, deadLetters.path), once)
      if (error._tag === "NotEmpty") return Effect.fail(new DataInvalid({ path, expected: "an item without children" }))
      // Somebody works on it, or was faster.
      return isAboutZnodes(error) ? Effect.void : Effect.fail(error)
    })
  )
  return once
}
