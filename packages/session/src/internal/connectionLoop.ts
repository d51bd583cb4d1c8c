import { equals, format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionExpired } from "../SessionError.ts"
import { annotated } from "./annotated.ts"
import type { Attempts } from "./Attempts.ts"
import { type End, endable } from "./endable.ts"
import { EnsembleBehind } from "./ensembleBehind.ts"
import { OutageLog } from "./OutageLog.ts"
import { Pacer } from "./Pacer.ts"
import { runLink } from "./runLink.ts"
import { type Expired, expired, type Failed, type Found, searchRound } from "./search.ts"
import type { SessionCore } from "./SessionCore.ts"

/** A connection that gave the session and was lost. */
interface Lost {
  readonly _tag: "Lost"
  readonly reason: string
  readonly answered: boolean
  readonly lived: number
}

/** A connection that lived for so many milliseconds was worth having: the next server may be tried at once. */
const WORTHWHILE = 1000

/** So many that were not may follow one another before the pauses count for them too. */
const MAX_SHORT_LIVED = 3

/** What a search needs to know of those before. */
interface Search {
  readonly core: SessionCore
  readonly attempts: Attempts
  readonly pacer: Pacer
  readonly outage: OutageLog
  readonly behind: EnsembleBehind
  /** The server that the next round begins with: the list has given it when it said that all have been tried. */
  nextRound: ServerAddress | undefined
  /** After a connection that worked the next servers are tried at once. */
  atOnce: boolean
  /** A server that gives a session begins a new round; where none of the sessions lasts, rounds would never end. */
  isPauseDue: boolean
  /** Whether a whole round has failed since there was a session. */
  hasFailed: boolean
  shortLived: number
}

/**
 * Keeps the session connected for as long as it lives, then, as the policy has it, makes a new one. Ends with the
 * session: never, unless it expires for good or its credentials are refused.
 */
export const connectionLoop = Effect.fnUntraced(function* (core: SessionCore, attempts: Attempts) {
  const outage = new OutageLog(core, attempts)
  const search: Search = {
    core,
    attempts,
    pacer: new Pacer(core),
    outage,
    behind: new EnsembleBehind(core),
    nextRound: undefined,
    atOnce: true,
    isPauseDue: false,
    hasFailed: false,
    shortLived: 0
  }
  if (core.settings.connectTimeout === Number.POSITIVE_INFINITY) outage.waits()
  while (!core.state.isFinal) {
    yield* keepConnected(search)
    if (core.state.isFinal) return
    const { message } = new SessionExpired({ sessionId: core.credentials.id })
    yield* annotated(core, undefined, Effect.logWarning(message))
    core.expire()
    // One that is being closed has nothing left to end.
    if (core.settings.sessionExpiry === "fail" || core.closing.isBegun) return
    core.state.set({ _tag: "Connecting" })
  }
})

/**
 * Goes from server to server until one of them says that the session is over, it must be by our own reckoning, or the
 * credentials are refused.
 */
const keepConnected = Effect.fnUntraced(function* (search: Search) {
  const { core } = search
  // An expiry by our own reckoning, of which all clients of an ensemble that is away think alike, begins no new round.
  if (search.pacer.isPausing) {
    if ((yield* pausing(core, search.pacer.rest())) !== undefined) return
  }
  while (!core.state.isFinal) {
    const ended = yield* Effect.scoped(findAndStay(search))
    if (ended === undefined) continue
    if (ended._tag === "Expired") {
      // Who has heard it from a server has found one, which gives another session at once.
      if (!core.liveness.isExpired(core.liveness.now())) beginAnew(search, true)
      return
    }
    search.shortLived = ended.lived >= WORTHWHILE ? 0 : search.shortLived + 1
    if (search.shortLived <= MAX_SHORT_LIVED) beginAnew(search, ended.answered)
    else search.isPauseDue = true
  }
})

const beginAnew = (search: Search, atOnce: boolean): void => {
  search.pacer.reset()
  search.atOnce = atOnce
  search.isPauseDue = false
  search.hasFailed = false
}

/** Finds a server and stays for as long as it lasts; undefined when a round has ended without one. */
const findAndStay = Effect.fnUntraced(function* (
  search: Search
): Effect.fn.Return<Lost | Expired | undefined, never, Scope.Scope> {
  const { behind, core, outage } = search
  const found = yield* unlessExpired<Found | undefined>(core, () => round(search))
  if (found?._tag === "Expired") return found
  if (found === undefined) {
    if (core.state.isFinal) return undefined
    search.hasFailed = true
    outage.foundNone()
    const accepts = yield* unlessExpired(core, () => behind.roundFailed())
    if (accepts === false) return undefined
    if (accepts === true) core.forgetHistory()
    return expired
  }
  behind.reset()
  search.nextRound = undefined
  search.isPauseDue = false
  search.hasFailed = false
  return yield* stayAt(search, found)
})

/** One round over all servers, after the pause that is due. */
const round = Effect.fnUntraced(function* (
  search: Search
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const { core, pacer } = search
  if (search.nextRound === undefined) {
    const { lapEnded, server } = yield* core.servers.next
    search.nextRound = server
    if (lapEnded && !search.atOnce) search.isPauseDue = true
  }
  const isPauseDue = search.isPauseDue
  search.isPauseDue = false
  search.atOnce = false
  if (isPauseDue) yield* pacer.betweenRounds()
  let first: ServerAddress | undefined = search.nextRound
  search.nextRound = undefined
  const isLater = search.hasFailed
  const size = yield* core.servers.size
  return yield* searchRound(core, {
    next: () => {
      if (first !== undefined) {
        const server = first
        first = undefined
        return Effect.succeed(server)
      }
      return Effect.flatMap(core.servers.next, ({ lapEnded, server }) => {
        if (lapEnded) {
          search.nextRound = server
          search.isPauseDue = true
          return Effect.succeed(undefined)
        }
        return isLater ? Effect.as(pacer.betweenServers(size), server) : Effect.succeed(server)
      })
    },
    began: (server) => search.attempts.began(server),
    ended: (server) => search.attempts.ended(server),
    failed: (failure) => tellFailure(search, failure)
  })
})

const tellFailure = ({ attempts, behind, core }: Search, failure: Failed): Effect.Effect<void> => {
  const { reason, server, silent, tls } = failure
  attempts.failed(server, reason, tls)
  behind.failed(silent)
  return annotated(core, server, Effect.logDebug(`no session: ${reason}`))
}

const stayAt = Effect.fnUntraced(function* (
  search: Search,
  { established, isStandIn, server }: Found
): Effect.fn.Return<Lost | Expired, never, Scope.Scope> {
  const { core, outage } = search
  const { link, response, sentAt } = established
  yield* core.servers.connected(server)
  const lost = (reason: string): Lost | Expired =>
    core.isOver ? expired : { _tag: "Lost", reason, answered: link.answered, lived: core.liveness.now() - sentAt }
  const stay = (end: End<Lost | Expired>) =>
    Effect.suspend(() => {
      if (core.isReady) search.attempts.clear()
      else search.attempts.ended(server)
      core.connected(established, isStandIn)
      outage.back(server)
      const served = runLink(core, link, response.readOnly === true, (reason) => end(() => lost(reason())))
      return Effect.map(Effect.andThen(leaveUnlisted(core, server), served), lost)
    })
  const left = Effect.sync(() => {
    core.disconnected()
    core.report()
  })
  // A server has just spoken for the session: it is not over by our own reckoning.
  if (!isStandIn) core.liveness.heard(link.heardAt)
  const ended = yield* unlessExpired(core, (end: End<Lost | Expired>) =>
    Effect.onExit(stay(end), () => Effect.andThen(link.stopWriting, left))
  ).pipe(
    Effect.catchDefect((defect) => {
      const reason = `${format(server)}: a defect while connected`
      return Effect.as(annotated(core, server, Effect.logError(reason, Cause.die(defect))), lost(reason))
    })
  )
  const reason = ended._tag === "Lost" ? ended.reason : "the session has expired"
  outage.lost(server, reason)
  if (!core.isReady) search.attempts.failed(server, reason, undefined)
  yield* annotated(core, server, Effect.logDebug(`connection lost: ${reason}`))
  return ended
})

/** What waits here ends when the session does, or by `end`. */
const unlessExpired = <A>(
  core: SessionCore,
  make: (end: End<A | Expired>) => Effect.Effect<A | Expired, never, Scope.Scope>
): Effect.Effect<A | Expired, never, Scope.Scope> =>
  Effect.suspend(() => {
    // Or before it began.
    if (core.liveness.isExpired(core.liveness.now())) return Effect.succeed(expired)
    return endable<A | Expired, never, Scope.Scope>((end) => {
      core.liveness.onExpired = () => end(() => expired)
      return make(end)
    })
  })

/** A pause, which the end of the session ends. */
const pausing = (core: SessionCore, pause: Effect.Effect<void>): Effect.Effect<Expired | undefined> =>
  Effect.scoped(unlessExpired<undefined>(core, () => Effect.as(pause, undefined)))

/** The list may have been replaced while this server was dialled. */
const leaveUnlisted = (core: SessionCore, server: ServerAddress): Effect.Effect<void> =>
  Effect.map(core.servers.servers, (servers) => {
    if (!servers.some((listed) => equals(listed, server))) core.depart()
  })
