/**
 * The search for a server that gives the session.
 *
 * Connections are opened side by side: the next address is dialled when one has failed, or a moment later while it is
 * still silent (as RFC 8305 has it). The session itself is asked for on one connection at a time. A server that has been
 * asked may grant it whatever becomes of the connection, and two sessions would be one too many.
 */
import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import type { Connection } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { SaslMechanism } from "../Sasl.ts"
import { AuthFailed } from "../SessionError.ts"
import { annotated } from "./annotated.ts"
import { authenticate } from "./authenticate.ts"
import { DialFailed, type Established, introduce, open } from "./dial.ts"
import { Link } from "./Link.ts"
import { writeMode } from "./seekWritable.ts"
import type { SessionCore } from "./SessionCore.ts"

/** Milliseconds. */
const LONGEST_STEP = 5000
const SHORTEST_STEP = 1000

/** What an event has beside a path that some request has named. */
const EVENT_OVERHEAD = 64

/** After so many milliseconds the next address is dialled while this one is still silent. */
const STAGGER = 250

/** The share of `connectTimeout` that the first round over all addresses may take. */
const FIRST_ROUND = 0.9

/** The session is over, by the server's word or by our own reckoning. */
export interface Expired {
  readonly _tag: "Expired"
}

export const expired: Expired = { _tag: "Expired" }

/** A try at one address that gave no session. */
export interface Failed {
  readonly _tag: "Failed"
  readonly server: ServerAddress
  readonly reason: string
  /** The server took the connect request and closed without a word. */
  readonly silent: boolean
  readonly tls: TlsReason | undefined
}

/** A server that has given the session. */
export interface Found {
  readonly _tag: "Found"
  readonly server: ServerAddress
  readonly established: Established
  /** It serves reads under a session of its own meanwhile. */
  readonly isStandIn: boolean
}

/** Whom to tell of the search. */
export interface Searching {
  /** Gives the next server to dial; undefined when all have been tried. */
  readonly next: () => Effect.Effect<ServerAddress | undefined>
  readonly began: (server: ServerAddress) => void
  readonly ended: (server: ServerAddress) => void
  readonly failed: (failure: Failed) => Effect.Effect<void>
}

/** An address that is dialled, or will be. */
interface Candidate {
  readonly server: ServerAddress
  readonly address: ServerAddress
  /** Milliseconds for each step. */
  readonly share: number
}

interface Opened extends Candidate {
  readonly connection: Connection
}

/** What came of something that was done side by side with others, in a Scope of its own. */
type News =
  | { readonly _tag: "Opened"; readonly own: Scope.Closeable; readonly opened: Opened }
  | { readonly _tag: "Ended"; readonly own: Scope.Closeable; readonly outcome: Outcome }

type Outcome = Found | Expired | Failed

/** A step of a try, which fails with a reason when it takes more milliseconds. It ends the time of the step before. */
type Step = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number, late: () => Failed) => Effect.Effect<A, E, R>

/**
 * One round over the servers: ends with the first that gives the session, with its expiry, or with undefined when all have
 * failed. The connection lives as long as the Scope.
 *
 * Nearly always the first address answers at once. A single fiber takes it from the name to the session then, and all
 * times are timers of the alarm. What is made for each round is plain functions: a generator function costs microseconds at
 * its first call.
 */
export const searchRound = Effect.fnUntraced(function* (
  core: SessionCore,
  searching: Searching
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const stagger = staggerOf(core, yield* core.servers.size)
  const news: Array<News> = []
  const candidates: Array<Candidate> = []
  const scopes = new Set<Scope.Closeable>()
  let isExhausted = false
  let underWay = 0
  /** The Scope of the connection on which the session is being asked for. */
  let asker: Scope.Closeable | undefined
  let wake: (() => void) | undefined

  /** The next address has its turn a moment from now, if there is one and nobody is being asked. */
  const pace = (): void => {
    if (wake !== undefined && asker === undefined && (!isExhausted || candidates.length > 0)) {
      core.limit.set(core.liveness.now() + stagger, wake)
    } else core.limit.clear()
  }
  /** Until there is news, or the next address has its turn. */
  const rest = Effect.callback<void>((resume) => {
    const stop = () => {
      wake = undefined
      core.limit.clear()
    }
    wake = () => {
      stop()
      resume(Effect.void)
    }
    pace()
    return Effect.sync(stop)
  })
  const start = (own: Scope.Closeable, work: (step: Step) => Effect.Effect<News>): Effect.Effect<void> => {
    underWay++
    const timer = core.alarm.timer()
    const running: { fiber?: Fiber.Fiber<News>; late?: () => Failed } = {}
    const step: Step = (effect, millis, late) =>
      Effect.suspend(() => {
        timer.setAwake(core.liveness.now() + millis, () => {
          running.late = late
          running.fiber?.interruptUnsafe()
        })
        return effect
      })
    return Effect.map(Effect.forkIn(work(step), own, { startImmediately: true }), (fiber) => {
      running.fiber = fiber
      fiber.addObserver((exit) => {
        core.alarm.discard(timer)
        if (Exit.isSuccess(exit)) news.push(exit.value)
        else if (running.late !== undefined) news.push({ _tag: "Ended", own, outcome: running.late() })
        wake?.()
      })
    })
  }
  const ask = (own: Scope.Closeable, opened: Opened, step: Step): Effect.Effect<News> => {
    asker = own
    pace()
    return Effect.map(askForSession(core, opened, own, step), (outcome) => ({ _tag: "Ended", own, outcome }))
  }
  /** Opens a connection, and asks for the session at once unless another is being asked. */
  const dial = (own: Scope.Closeable, candidate: Candidate, step: Step): Effect.Effect<News> => {
    pace()
    return openOne(core, candidate, own, step).pipe(
      Effect.flatMap((connection): Effect.Effect<News> => {
        const opened = { ...candidate, connection }
        return asker === undefined ? ask(own, opened, step) : Effect.succeed({ _tag: "Opened", own, opened })
      }),
      Effect.catch((error) => Effect.succeed(failedBy(candidate.server, error))),
      Effect.catchDefect((defect) => reportDefect(core, candidate.server, defect)),
      Effect.map((item): News => (item._tag === "Failed" ? { _tag: "Ended", own, outcome: item } : item))
    )
  }
  /** Looks the addresses of a server up, and goes on with the next address. */
  const look = (own: Scope.Closeable, server: ServerAddress, step: Step): Effect.Effect<News> =>
    Effect.flatMap(resolve(core, server, step), (found) => {
      if ("_tag" in found) return Effect.succeed({ _tag: "Ended", own, outcome: found })
      candidates.push(...found)
      return dial(own, candidates.shift()!, step)
    })
  const leave = (own: Scope.Closeable) => {
    scopes.delete(own)
    return Scope.close(own, Exit.void)
  }
  /** Begins with the next address, or to look up those of the next server, if there is one. */
  const begin = (): Effect.Effect<void> => {
    const candidate = candidates.shift()
    if (candidate !== undefined) return startInScope((own, step) => dial(own, candidate, step))
    return Effect.flatMap(searching.next(), (server) => {
      if (server === undefined) {
        isExhausted = true
        return Effect.void
      }
      searching.began(server)
      return startInScope((own, step) => look(own, server, step))
    })
  }
  const startInScope = (work: (own: Scope.Closeable, step: Step) => Effect.Effect<News>): Effect.Effect<void> =>
    Effect.flatMap(Scope.fork(scope), (own) => {
      scopes.add(own)
      return start(own, (step) => work(own, step))
    })

  yield* begin()
  while (!core.state.isFinal) {
    // While one is being asked, what came of others has time.
    const index = asker === undefined ? 0 : news.findIndex(({ own }) => own === asker)
    const item = index < 0 ? undefined : news[index]
    if (item === undefined) {
      if (isExhausted && candidates.length === 0 && underWay === 0) return undefined
      const before = news.length
      yield* rest
      if (news.length === before && asker === undefined) yield* begin()
      continue
    }
    news.splice(index, 1)
    underWay--
    const { own } = item
    if (item._tag === "Opened") {
      const { opened } = item
      asker = own
      yield* start(own, (step) =>
        ask(own, opened, step).pipe(
          Effect.catchDefect((defect) => reportDefect(core, opened.server, defect)),
          Effect.map((item): News => (item._tag === "Failed" ? { _tag: "Ended", own, outcome: item } : item))
        )
      )
      continue
    }
    const { outcome } = item
    const wasAsked = asker === own
    if (wasAsked) asker = undefined
    if (outcome._tag !== "Failed") {
      if (outcome._tag === "Found") scopes.delete(own)
      // Nothing was said on any other.
      for (const other of scopes) yield* leave(other)
      return outcome
    }
    yield* leave(own)
    searching.ended(outcome.server)
    yield* searching.failed(outcome)
    if (core.state.isFinal) return undefined
    if (!wasAsked || news.length === 0) yield* begin()
  }
  return undefined
})

/** The addresses of a server, or why there are none. */
const resolve = Effect.fnUntraced(function* (
  core: SessionCore,
  server: ServerAddress,
  step: Step
): Effect.fn.Return<ReadonlyArray<Candidate> | Failed> {
  const share = yield* shareOf(core, 1)
  const looking = Effect.suspend(() => core.transport.resolve(server)).pipe(
    Effect.catch(({ message }) => Effect.succeed(failed(server, message))),
    Effect.catchDefect((defect) => reportDefect(core, server, defect))
  )
  const addresses = yield* step(looking, share, () =>
    failed(server, `the host name was not resolved within ${Math.round(share)} ms`)
  )
  if ("_tag" in addresses) return addresses
  if (addresses.length === 0) return failed(server, "the host name has no address")
  const each = yield* shareOf(core, addresses.length)
  return addresses.map((address) => ({ server, address, share: each }))
})

const openOne = (
  core: SessionCore,
  candidate: Candidate,
  own: Scope.Scope,
  step: Step
): Effect.Effect<Connection, DialFailed> => {
  const { address, server, share } = candidate
  const late = () => failed(server, `could not connect ${to(candidate)}within ${Math.round(share)} ms`)
  return Effect.provideService(step(open(core.transport, address, server), share, late), Scope.Scope, own)
}

const failedBy = (server: ServerAddress, { reason, silent, tls }: DialFailed): Failed =>
  failed(server, reason, silent, tls)

/** The address, where it says more than the server. */
const to = ({ address, server }: Candidate): string => (address.host === server.host ? "" : `to ${address.host} `)

/** Asks for the session on a connection. */
const askForSession = Effect.fnUntraced(function* (
  core: SessionCore,
  opened: Opened,
  own: Scope.Scope,
  step: Step
): Effect.fn.Return<Outcome> {
  const { server, share } = opened
  const isPlain = core.transport.exposure?.(server) === "plain"
  const ask = (connection: Connection, id: bigint) =>
    step(
      introduce({
        connection,
        server,
        request: connectRequest(core, id),
        makeLink: makeLink(core),
        now: () => core.liveness.now(),
        isPlain
      }),
      share,
      () =>
        failed(
          server,
          `no session ${to(opened)}within ${Math.round(share)} ms; connected, but the handshake was not answered`
        )
    )
  const id = core.isKnownToEnsemble ? core.credentials.id : 0n
  let isStandIn = false
  const answer = yield* ask(opened.connection, id).pipe(
    Effect.catch((error) => {
      // A read-only server closes on a session that it cannot know; it may serve reads under one of its own meanwhile.
      if (!error.silent || id === 0n || !core.settings.allowReadOnly) return Effect.fail(error)
      const asking = step(writeMode(core, server), Number.POSITIVE_INFINITY, () => failed(server, error.reason))
      return Effect.flatMap(asking, (mode) => {
        if (mode !== "ro") return Effect.fail(error)
        isStandIn = true
        const again = Effect.provideService(open(core.transport, opened.address, server), Scope.Scope, own)
        const late = () => failed(server, `no session within ${Math.round(share)} ms`)
        return Effect.flatMap(step(again, share, late), (connection) => ask(connection, 0n))
      })
    }),
    Effect.catch((error) => Effect.succeed(error))
  )
  if (answer instanceof DialFailed) return failedBy(server, answer)
  const { link, response } = answer
  if (response.timeOut <= 0) {
    return id === 0n || isStandIn ? failed(server, "the server gave no session") : expired
  }
  // A server that hands out another session has lost ours.
  if (!isStandIn && id !== 0n && response.sessionId !== id) return expired
  if (isStandIn && response.readOnly !== true) return failed(server, "no longer read-only")
  const { sasl } = core.settings
  if (sasl !== undefined) {
    const late = () => failed(server, `SASL took longer than ${Math.round(share)} ms`)
    const refused = yield* step(proveIdentity(core, link, sasl), share, late)
    if (refused !== undefined) return refused
  }
  return { _tag: "Found", server, established: answer, isStandIn }
})

const makeLink = (core: SessionCore) => (connection: Connection, server: ServerAddress) =>
  new Link({
    connection,
    server,
    maxFrameSize: core.settings.maxFrameSize,
    maxEventSize: Math.max(core.settings.maxFrameSize, core.settings.maxRequestSize + EVENT_OVERHEAD),
    now: () => core.liveness.now(),
    context: core.context,
    reportDefect: (reason, defect) => annotated(core, server, Effect.logError(reason, Cause.die(defect)))
  })

/** Goes through SASL; what the try came to if it did not succeed. */
const proveIdentity = (core: SessionCore, link: Link, sasl: SaslMechanism): Effect.Effect<Failed | undefined> =>
  authenticate(link, sasl).pipe(
    Effect.as(undefined),
    Effect.catchTags({
      DialFailed: (error) => Effect.succeed(failed(link.server, error.reason)),
      SaslError: (error) =>
        Effect.sync(() => {
          // Going on without would be going on as somebody else.
          core.refused(new AuthFailed({ scheme: "sasl", reason: error.reason }))
          return failed(link.server, error.message)
        })
    })
  )

/** A mistake of ours, or of a mechanism or transport that an application brought. */
const reportDefect = (core: SessionCore, server: ServerAddress, defect: unknown): Effect.Effect<Failed> => {
  const reason = `${format(server)}: a defect while connecting`
  return Effect.as(annotated(core, server, Effect.logError(reason, Cause.die(defect))), failed(server, reason))
}

const failed = (server: ServerAddress, reason: string, silent = false, tls?: TlsReason): Failed => ({
  _tag: "Failed",
  server,
  reason,
  silent,
  tls
})

// The timeout asked for is always the one of the options: what a server granted before may have been less.
const connectRequest = (core: SessionCore, id: bigint): Handshake.ConnectRequest => ({
  protocolVersion: 0,
  lastZxidSeen: core.exchange.lastZxid,
  timeOut: Math.round(core.settings.sessionTimeout),
  sessionId: id,
  passwd: id === 0n ? new Uint8Array(16) : Redacted.value(core.credentials.password),
  readOnly: core.settings.allowReadOnly
})

/**
 * The time of each step at one of so many addresses of a server: a share of the session's time, so that there is time for
 * every server and each of its addresses, and of `connectTimeout` while that runs.
 */
const shareOf = (core: SessionCore, addresses: number): Effect.Effect<number> =>
  Effect.map(core.servers.size, (size) => {
    const all = size * addresses
    const share = Math.max(SHORTEST_STEP, Math.min(core.liveness.timeout / all, LONGEST_STEP))
    return core.isReady ? share : Math.min(share, (core.settings.connectTimeout * FIRST_ROUND) / all)
  })

const staggerOf = (core: SessionCore, servers: number): number =>
  core.isReady ? STAGGER : Math.min(STAGGER, core.settings.connectTimeout / 2 / servers)
