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
import type { SaslMechanism } from "../../Sasl.ts"
import { AuthFailed } from "../../SessionError.ts"
import { withLogAnnotations } from "../logAnnotations.ts"
import { saslHandshake } from "../connection/saslHandshake.ts"
import { DialFailed, type HandshakeResult, handshake, openConnection } from "../connection/handshake.ts"
import { FramedConnection } from "../connection/FramedConnection.ts"
import { writeMode } from "./findWritableServer.ts"
import type { SessionMachine } from "../SessionMachine.ts"

/** Milliseconds. */
const MAX_STEP = 5000
const MIN_STEP = 1000

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
  readonly handshake: HandshakeResult
  /** It serves reads under a session of its own meanwhile. */
  readonly isProvisional: boolean
}

/** Whom to tell of the search. */
export interface ServerSearch {
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
  readonly stepTimeout: number
}

type Opened = Candidate & { readonly connection: Connection }

/** What came of something that was done side by side with others, in a Scope of its own. */
type SearchEvent =
  | { readonly _tag: "Opened"; readonly attemptScope: Scope.Closeable; readonly opened: Opened }
  | { readonly _tag: "Ended"; readonly attemptScope: Scope.Closeable; readonly outcome: Outcome }

type Outcome = Found | Expired | Failed

/** A step of a try, which fails with a reason when it takes more milliseconds. It ends the time of the step before. */
type Step = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number, late: () => Failed) => Effect.Effect<A, E, R>

/**
 * One round over the servers: ends with the first that gives the session, with its expiry, or with undefined when all have
 * failed. The connection lives as long as the Scope.
 *
 * Nearly always the first address answers at once. A single fiber takes it from the name to the session then, and all
 * times are timers of the session. What is made for each round is plain functions: a generator function costs microseconds at
 * its first call.
 */
export const searchServers = Effect.fnUntraced(function* (
  machine: SessionMachine,
  search: ServerSearch
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const stagger = staggerOf(machine, yield* machine.servers.size)
  const events: Array<SearchEvent> = []
  const candidates: Array<Candidate> = []
  const scopes = new Set<Scope.Closeable>()
  let isExhausted = false
  let underWay = 0
  /** The Scope of the connection on which the session is being asked for. */
  let askingScope: Scope.Closeable | undefined
  let wake: (() => void) | undefined

  /** The next address has its turn a moment from now, if there is one and nobody is being asked. */
  const scheduleNext = (): void => {
    if (wake !== undefined && askingScope === undefined && (!isExhausted || candidates.length > 0)) {
      machine.connectionTimer.set(machine.liveness.now() + stagger, wake)
    } else machine.connectionTimer.clear()
  }
  /** Until there is more news, which may have come while this fiber yielded, or the next address has its turn. */
  const awaitEvent = (seen: number) =>
    Effect.callback<void>((resume) => {
      if (events.length > seen) return resume(Effect.void)
      const stop = () => {
        wake = undefined
        machine.connectionTimer.clear()
      }
      wake = () => {
        stop()
        resume(Effect.void)
      }
      scheduleNext()
      return Effect.sync(stop)
    })
  const startAttempt = (
    attemptScope: Scope.Closeable,
    work: (step: Step) => Effect.Effect<SearchEvent>
  ): Effect.Effect<void> => {
    underWay++
    const timer = machine.timers.makeTimer()
    const running: { fiber?: Fiber.Fiber<SearchEvent>; late?: () => Failed } = {}
    const step: Step = (effect, millis, late) =>
      Effect.suspend(() => {
        timer.setAwake(machine.liveness.now() + millis, () => {
          running.late = late
          running.fiber?.interruptUnsafe()
        })
        return effect
      })
    return Effect.map(Effect.forkIn(work(step), attemptScope, { startImmediately: true }), (fiber) => {
      running.fiber = fiber
      fiber.addObserver((exit) => {
        machine.timers.discard(timer)
        if (Exit.isSuccess(exit)) events.push(exit.value)
        else if (running.late !== undefined) events.push({ _tag: "Ended", attemptScope, outcome: running.late() })
        wake?.()
      })
    })
  }
  const askOn = (attemptScope: Scope.Closeable, opened: Opened, step: Step): Effect.Effect<SearchEvent> => {
    askingScope = attemptScope
    scheduleNext()
    return Effect.map(askForSession(machine, opened, attemptScope, step), (outcome) => ({
      _tag: "Ended",
      attemptScope,
      outcome
    }))
  }
  /** Opens a connection, and asks for the session at once unless another is being asked. */
  const dial = (attemptScope: Scope.Closeable, candidate: Candidate, step: Step): Effect.Effect<SearchEvent> => {
    scheduleNext()
    return openCandidate(machine, candidate, attemptScope, step).pipe(
      Effect.flatMap((connection): Effect.Effect<SearchEvent> => {
        const opened = { ...candidate, connection }
        return askingScope === undefined
          ? askOn(attemptScope, opened, step)
          : Effect.succeed({ _tag: "Opened", attemptScope, opened })
      }),
      Effect.catch((error) => Effect.succeed(failedBy(candidate.server, error))),
      Effect.catchDefect((defect) => reportDefect(machine, candidate.server, defect)),
      Effect.map((event): SearchEvent =>
        event._tag === "Failed" ? { _tag: "Ended", attemptScope, outcome: event } : event
      )
    )
  }
  /** Looks the addresses of a server up, and goes on with the next address. */
  const resolveAndDial = (
    attemptScope: Scope.Closeable,
    server: ServerAddress,
    step: Step
  ): Effect.Effect<SearchEvent> =>
    Effect.flatMap(resolve(machine, server, step), (found) => {
      if ("_tag" in found) return Effect.succeed({ _tag: "Ended", attemptScope, outcome: found })
      candidates.push(...found)
      return dial(attemptScope, candidates.shift()!, step)
    })
  const closeAttempt = (attemptScope: Scope.Closeable) => {
    scopes.delete(attemptScope)
    return Scope.close(attemptScope, Exit.void)
  }
  /** Begins with the next address, or to look up those of the next server, if there is one. */
  const startNext = (): Effect.Effect<void> => {
    const candidate = candidates.shift()
    if (candidate !== undefined) return startInScope((attemptScope, step) => dial(attemptScope, candidate, step))
    // The list would begin a lap of its own when it is asked again, while servers of this round are still silent.
    if (isExhausted) return Effect.void
    return Effect.flatMap(search.next(), (server) => {
      if (server === undefined) {
        isExhausted = true
        return Effect.void
      }
      search.began(server)
      return startInScope((attemptScope, step) => resolveAndDial(attemptScope, server, step))
    })
  }
  const startInScope = (
    work: (attemptScope: Scope.Closeable, step: Step) => Effect.Effect<SearchEvent>
  ): Effect.Effect<void> =>
    Effect.flatMap(Scope.fork(scope), (attemptScope) => {
      scopes.add(attemptScope)
      return startAttempt(attemptScope, (step) => work(attemptScope, step))
    })

  yield* startNext()
  while (!machine.state.isFinal) {
    // While one is being asked, what came of others has time.
    const index = askingScope === undefined ? 0 : events.findIndex(({ attemptScope }) => attemptScope === askingScope)
    const event = index < 0 ? undefined : events[index]
    if (event === undefined) {
      if (isExhausted && candidates.length === 0 && underWay === 0) return undefined
      const before = events.length
      yield* awaitEvent(before)
      if (events.length === before && askingScope === undefined) yield* startNext()
      continue
    }
    events.splice(index, 1)
    underWay--
    const { attemptScope } = event
    if (event._tag === "Opened") {
      const { opened } = event
      askingScope = attemptScope
      yield* startAttempt(attemptScope, (step) =>
        askOn(attemptScope, opened, step).pipe(
          Effect.catchDefect((defect) => reportDefect(machine, opened.server, defect)),
          Effect.map((event): SearchEvent =>
            event._tag === "Failed" ? { _tag: "Ended", attemptScope, outcome: event } : event
          )
        )
      )
      continue
    }
    const { outcome } = event
    const wasAsked = askingScope === attemptScope
    if (wasAsked) askingScope = undefined
    if (outcome._tag !== "Failed") {
      if (outcome._tag === "Found") scopes.delete(attemptScope)
      // Nothing was said on any other.
      for (const other of scopes) yield* closeAttempt(other)
      return outcome
    }
    yield* closeAttempt(attemptScope)
    search.ended(outcome.server)
    yield* search.failed(outcome)
    if (machine.state.isFinal) return undefined
    if (!wasAsked || events.length === 0) yield* startNext()
  }
  return undefined
})

/** The addresses of a server, or why there are none. */
const resolve = Effect.fnUntraced(function* (
  machine: SessionMachine,
  server: ServerAddress,
  step: Step
): Effect.fn.Return<ReadonlyArray<Candidate> | Failed> {
  const stepTimeout = yield* stepTimeoutOf(machine, 1)
  const looking = Effect.suspend(() => machine.transport.resolve(server)).pipe(
    Effect.catch(({ message }) => Effect.succeed(failed(server, message))),
    Effect.catchDefect((defect) => reportDefect(machine, server, defect))
  )
  const addresses = yield* step(looking, stepTimeout, () =>
    failed(server, `the host name was not resolved within ${Math.round(stepTimeout)} ms`)
  )
  if ("_tag" in addresses) return addresses
  if (addresses.length === 0) return failed(server, "the host name has no address")
  const each = yield* stepTimeoutOf(machine, addresses.length)
  return addresses.map((address) => ({ server, address, stepTimeout: each }))
})

const openCandidate = (
  machine: SessionMachine,
  candidate: Candidate,
  attemptScope: Scope.Scope,
  step: Step
): Effect.Effect<Connection, DialFailed> => {
  const { address, server, stepTimeout } = candidate
  const late = () => failed(server, `could not connect ${toAddress(candidate)}within ${Math.round(stepTimeout)} ms`)
  return Effect.provideService(
    step(openConnection(machine.transport, address, server), stepTimeout, late),
    Scope.Scope,
    attemptScope
  )
}

const failedBy = (server: ServerAddress, { reason, silent, tls }: DialFailed): Failed =>
  failed(server, reason, silent, tls)

/** The address, where it says more than the server. */
const toAddress = ({ address, server }: Candidate): string =>
  address.host === server.host ? "" : `to ${address.host} `

/** Asks for the session on a connection. */
const askForSession = Effect.fnUntraced(function* (
  machine: SessionMachine,
  opened: Opened,
  attemptScope: Scope.Scope,
  step: Step
): Effect.fn.Return<Outcome> {
  const { server, stepTimeout } = opened
  const isPlain = machine.transport.security?.(server) === "plain"
  const ask = (raw: Connection, id: bigint) =>
    step(
      handshake({
        raw,
        server,
        request: connectRequest(machine, id),
        makeConnection: makeConnection(machine),
        now: () => machine.liveness.now(),
        isPlain
      }),
      stepTimeout,
      () =>
        failed(
          server,
          `no session ${toAddress(opened)}within ${Math.round(stepTimeout)} ms; connected, but the handshake was not answered`
        )
    )
  const id = machine.isKnownToEnsemble ? machine.credentials.id : 0n
  let isProvisional = false
  const answer = yield* ask(opened.connection, id).pipe(
    Effect.catch((error) => {
      // A read-only server closes on a session that it cannot know; it may serve reads under one of its own meanwhile.
      if (!error.silent || id === 0n || !machine.settings.allowReadOnly) return Effect.fail(error)
      const asking = step(writeMode(machine, server), Number.POSITIVE_INFINITY, () => failed(server, error.reason))
      return Effect.flatMap(asking, (mode) => {
        if (mode !== "ro") return Effect.fail(error)
        isProvisional = true
        const again = Effect.provideService(
          openConnection(machine.transport, opened.address, server),
          Scope.Scope,
          attemptScope
        )
        const late = () => failed(server, `no session within ${Math.round(stepTimeout)} ms`)
        return Effect.flatMap(step(again, stepTimeout, late), (connection) => ask(connection, 0n))
      })
    }),
    Effect.catch((error) => Effect.succeed(error))
  )
  if (answer instanceof DialFailed) return failedBy(server, answer)
  const { connection, response } = answer
  if (response.timeOut <= 0) {
    return id === 0n || isProvisional ? failed(server, "the server gave no session") : expired
  }
  // A server that hands out another session has lost ours.
  if (!isProvisional && id !== 0n && response.sessionId !== id) return expired
  if (isProvisional && response.readOnly !== true) return failed(server, "no longer read-only")
  const { sasl } = machine.settings
  if (sasl !== undefined) {
    const late = () => failed(server, `SASL took longer than ${Math.round(stepTimeout)} ms`)
    const refused = yield* step(proveIdentity(machine, connection, sasl), stepTimeout, late)
    if (refused !== undefined) return refused
  }
  return { _tag: "Found", server, handshake: answer, isProvisional }
})

const makeConnection = (machine: SessionMachine) => (raw: Connection, server: ServerAddress) =>
  new FramedConnection({
    raw,
    server,
    maxFrameSize: machine.settings.maxFrameSize,
    maxEventSize: Math.max(machine.settings.maxFrameSize, machine.settings.maxRequestSize + EVENT_OVERHEAD),
    now: () => machine.liveness.now(),
    context: machine.context,
    reportDefect: (reason, defect) => withLogAnnotations(machine, server, Effect.logError(reason, Cause.die(defect)))
  })

/** Goes through SASL; what the try came to if it did not succeed. */
const proveIdentity = (
  machine: SessionMachine,
  connection: FramedConnection,
  sasl: SaslMechanism
): Effect.Effect<Failed | undefined> =>
  saslHandshake(connection, sasl).pipe(
    Effect.as(undefined),
    Effect.catchTags({
      DialFailed: (error) => Effect.succeed(failed(connection.server, error.reason)),
      SaslError: (error) =>
        Effect.sync(() => {
          // Going on without would be going on as somebody else.
          machine.failAuth(new AuthFailed({ scheme: "sasl", reason: error.reason }))
          return failed(connection.server, error.message)
        })
    })
  )

/** A mistake of ours, or of a mechanism or transport that an application brought. */
const reportDefect = (machine: SessionMachine, server: ServerAddress, defect: unknown): Effect.Effect<Failed> => {
  const reason = `${format(server)}: a defect while connecting`
  return Effect.as(
    withLogAnnotations(machine, server, Effect.logError(reason, Cause.die(defect))),
    failed(server, reason)
  )
}

const failed = (server: ServerAddress, reason: string, silent = false, tls?: TlsReason): Failed => ({
  _tag: "Failed",
  server,
  reason,
  silent,
  tls
})

// The timeout asked for is always the one of the options: what a server granted before may have been less.
const connectRequest = (machine: SessionMachine, id: bigint): Handshake.ConnectRequest => ({
  protocolVersion: 0,
  lastZxidSeen: machine.pipeline.lastZxid,
  timeOut: Math.round(machine.settings.sessionTimeout),
  sessionId: id,
  passwd: id === 0n ? new Uint8Array(16) : Redacted.value(machine.credentials.password),
  readOnly: machine.settings.allowReadOnly
})

/**
 * The time of each step at one of so many addresses of a server: a share of the session's time, so that there is time for
 * every server and each of its addresses, and of `connectTimeout` while that runs.
 */
const stepTimeoutOf = (machine: SessionMachine, addresses: number): Effect.Effect<number> =>
  Effect.map(machine.servers.size, (size) => {
    const all = size * addresses
    const stepTimeout = Math.max(MIN_STEP, Math.min(machine.liveness.timeout / all, MAX_STEP))
    return machine.isReady ? stepTimeout : Math.min(stepTimeout, (machine.settings.connectTimeout * FIRST_ROUND) / all)
  })

const staggerOf = (machine: SessionMachine, servers: number): number =>
  machine.isReady ? STAGGER : Math.min(STAGGER, machine.settings.connectTimeout / 2 / servers)
