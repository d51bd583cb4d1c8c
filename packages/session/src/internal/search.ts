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
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { SaslMechanism } from "../Sasl.ts"
import { AuthFailed } from "../SessionError.ts"
import { annotated } from "./annotated.ts"
import { authenticate } from "./authenticate.ts"
import { DialFailed, type Established, introduce, open } from "./dial.ts"
import { Link } from "./Link.ts"
import { within } from "./patience.ts"
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
  readonly scope: Scope.Closeable
}

type News =
  | { readonly _tag: "Resolved"; readonly candidates: ReadonlyArray<Candidate> }
  | { readonly _tag: "Opened"; readonly opened: Opened }
  | { readonly _tag: "NotOpened"; readonly failure: Failed }

/**
 * One round over the servers: ends with the first that gives the session, with its expiry, or with undefined when all have
 * failed. The connection lives as long as the Scope.
 */
export const searchRound = Effect.fnUntraced(function* (
  core: SessionCore,
  searching: Searching
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const news = yield* Queue.unbounded<News>()
  const stagger = staggerOf(core, yield* core.servers.size)
  const candidates: Array<Candidate> = []
  const ready: Array<Opened> = []
  const scopes = new Set<Scope.Closeable>()
  let isExhausted = false
  let underWay = 0

  const fork = Effect.fnUntraced(function* (work: (own: Scope.Closeable) => Effect.Effect<News>) {
    const own = yield* Scope.fork(scope)
    scopes.add(own)
    underWay++
    const told = Effect.flatMap(work(own), (item) => Queue.offer(news, item))
    yield* Effect.forkIn(told, own, { startImmediately: true })
  })
  const leave = (own: Scope.Closeable) => {
    scopes.delete(own)
    return Scope.close(own, Exit.void)
  }
  const dial = (candidate: Candidate) => fork((own) => openOne(core, candidate, own))
  /** Begins with the next address, or to look up those of the next server; whether there was one. */
  const begin = Effect.fnUntraced(function* () {
    const candidate = candidates.shift()
    if (candidate !== undefined) {
      yield* dial(candidate)
      return
    }
    const server = yield* searching.next()
    if (server === undefined) {
      isExhausted = true
      return
    }
    searching.began(server)
    yield* fork(() => resolve(core, server))
  })
  const fail = (failure: Failed) => {
    searching.ended(failure.server)
    return searching.failed(failure)
  }

  yield* begin()
  while (!core.state.isFinal) {
    const opened = ready.shift()
    if (opened !== undefined) {
      const outcome = yield* tryConnection(core, opened)
      if (outcome._tag !== "Failed") {
        if (outcome._tag === "Found") scopes.delete(opened.scope)
        // Nothing was said on any other.
        yield* Effect.forEach([...scopes], leave, { discard: true })
        return outcome
      }
      yield* leave(opened.scope)
      yield* fail(outcome)
      if (core.state.isFinal) return undefined
      if (ready.length === 0 && Queue.sizeUnsafe(news) === 0) yield* begin()
      continue
    }
    if (isExhausted && candidates.length === 0 && underWay === 0) return undefined
    const isMore = !isExhausted || candidates.length > 0
    const item = yield* isMore ? orAfter(Queue.take(news), stagger) : Queue.take(news)
    if (item === undefined) {
      yield* begin()
      continue
    }
    underWay--
    switch (item._tag) {
      case "Resolved":
        candidates.push(...item.candidates)
        yield* begin()
        break
      case "Opened":
        ready.push(item.opened)
        break
      case "NotOpened":
        yield* fail(item.failure)
        if (ready.length === 0) yield* begin()
        break
    }
  }
  return undefined
})

const orAfter = <A>(effect: Effect.Effect<A>, millis: number): Effect.Effect<A | undefined> =>
  Effect.raceFirst(effect, Effect.as(Effect.sleep(millis), undefined))

/** The addresses of a server, or why there are none. */
const resolve = Effect.fnUntraced(function* (core: SessionCore, server: ServerAddress): Effect.fn.Return<News> {
  const share = yield* shareOf(core, 1)
  const late = `the host name was not resolved within ${Math.round(share)} ms`
  const addresses = yield* Effect.suspend(() => core.transport.resolve(server)).pipe(
    Effect.catch(({ message }) => Effect.succeed(message)),
    Effect.catchDefect((defect) => reportDefect(core, server, defect)),
    (looking) => within(core, looking, share, () => Effect.succeed(late))
  )
  if (typeof addresses === "string") return { _tag: "NotOpened", failure: failed(server, addresses) }
  if (addresses.length === 0) return { _tag: "NotOpened", failure: failed(server, "the host name has no address") }
  const each = yield* shareOf(core, addresses.length)
  return { _tag: "Resolved", candidates: addresses.map((address) => ({ server, address, share: each })) }
})

const openOne = (core: SessionCore, candidate: Candidate, scope: Scope.Closeable): Effect.Effect<News> => {
  const { address, server, share } = candidate
  const late = () =>
    new DialFailed({
      server,
      silent: false,
      reason: `could not connect ${to(candidate)}within ${Math.round(share)} ms`
    })
  return within(core, open(core.transport, address, server), share, () => Effect.fail(late())).pipe(
    Effect.provideService(Scope.Scope, scope),
    Effect.map((connection): News => ({ _tag: "Opened", opened: { ...candidate, connection, scope } })),
    Effect.catch((error) => Effect.succeed(notOpened(failed(server, error.reason, error.silent, error.tls)))),
    Effect.catchDefect((defect) =>
      Effect.map(reportDefect(core, server, defect), (reason) => notOpened(failed(server, reason)))
    )
  )
}

const notOpened = (failure: Failed): News => ({ _tag: "NotOpened", failure })

/** The address, where it says more than the server. */
const to = ({ address, server }: Candidate): string => (address.host === server.host ? "" : `to ${address.host} `)

/** Asks for the session on a connection; a defect of ours, or of what an application brought, fails the try, no more. */
const tryConnection = (core: SessionCore, opened: Opened): Effect.Effect<Found | Failed | Expired> =>
  Effect.catchDefect(askForSession(core, opened), (defect) =>
    Effect.map(reportDefect(core, opened.server, defect), (reason) => failed(opened.server, reason))
  )

const askForSession = Effect.fnUntraced(function* (
  core: SessionCore,
  opened: Opened
): Effect.fn.Return<Found | Failed | Expired> {
  const { server, share } = opened
  const isPlain = core.transport.exposure?.(server) === "plain"
  const ask = (connection: Connection, id: bigint) =>
    within(
      core,
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
        Effect.fail(
          new DialFailed({
            server,
            silent: false,
            reason: `no session ${to(opened)}within ${Math.round(share)} ms; connected, but the handshake was not answered`
          })
        )
    )
  const id = core.isKnownToEnsemble ? core.credentials.id : 0n
  let isStandIn = false
  const answer = yield* ask(opened.connection, id).pipe(
    Effect.catch(
      Effect.fnUntraced(function* (error) {
        // A read-only server closes on a session that it cannot know; it may serve reads under one of its own meanwhile.
        if (!error.silent || id === 0n || !core.settings.allowReadOnly) return yield* error
        if ((yield* writeMode(core, server)) !== "ro") return yield* error
        isStandIn = true
        const again = Effect.provideService(open(core.transport, opened.address, server), Scope.Scope, opened.scope)
        const late = new DialFailed({ server, silent: false, reason: `no session within ${Math.round(share)} ms` })
        return yield* ask(yield* within(core, again, share, () => Effect.fail(late)), 0n)
      })
    ),
    Effect.catch((error) => Effect.succeed(error))
  )
  if (answer instanceof DialFailed) return failed(server, answer.reason, answer.silent, answer.tls)
  const { link, response } = answer
  if (response.timeOut <= 0) {
    return id === 0n || isStandIn ? failed(server, "the server gave no session") : expired
  }
  // A server that hands out another session has lost ours.
  if (!isStandIn && id !== 0n && response.sessionId !== id) return expired
  if (isStandIn && response.readOnly !== true) return failed(server, "no longer read-only")
  const { sasl } = core.settings
  if (sasl !== undefined) {
    const late = failed(server, `SASL took longer than ${Math.round(share)} ms`)
    const refused = yield* within(core, proveIdentity(core, link, sasl), share, () => Effect.succeed(late))
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
    onSent: (at) => core.liveness.sent(at),
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
const reportDefect = (core: SessionCore, server: ServerAddress, defect: unknown): Effect.Effect<string> => {
  const reason = `${format(server)}: a defect while connecting`
  return Effect.as(annotated(core, server, Effect.logError(reason, Cause.die(defect))), reason)
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
