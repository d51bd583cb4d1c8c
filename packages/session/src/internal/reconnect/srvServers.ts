/** Servers that an SRV record of DNS names: looked up before the first connection, and again from time to time. */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { ConnectFailed } from "../../SessionError.ts"
import type { SessionOptions } from "../../SessionOptions.ts"
import { checkOptions, type Settings } from "../Settings.ts"

type Servers = ConnectString.ConnectString["servers"]

/** How to look the servers up again. */
export interface SrvSource {
  readonly name: string
  readonly lookUp: Effect.Effect<Servers, TransportError>
}

/** While there is a connection the record is looked up this often, in milliseconds. */
const REFRESH_INTERVAL = 60_000

/** The same without a connection. */
const RETRY_INTERVAL = 5000

/** A look-up has failed after so many milliseconds: one that never ends must not be the last one. */
const LOOK_UP_TIMEOUT = 10_000

/**
 * The checked options, with the servers of the SRV record if they name one. A session that begins in the background does not
 * wait for these: they are `unknown` then, and the list has no server that could be dialled.
 */
export const lookUpServers = Effect.fnUntraced(function* (
  options: SessionOptions,
  transport: Transport["Service"]
): Effect.fn.Return<
  { readonly settings: Settings; readonly srv: SrvSource | undefined; readonly isUnknown: boolean },
  InvalidArgument | ConnectFailed
> {
  const given = options.servers ?? transport.defaultServers
  const srv = given === undefined ? undefined : yield* Effect.fromResult(ConnectString.parseSrv(given))
  if (srv === undefined) {
    return { settings: yield* checkOptions(options, transport.defaultServers), srv: undefined, isUnknown: false }
  }
  const { resolveSrv } = transport
  if (resolveSrv === undefined) {
    const rule = "this transport knows no DNS; name the servers"
    return yield* new InvalidArgument({ argument: "servers", value: given ?? "", rule })
  }
  // Mistakes in other options are found before DNS is asked.
  const checked = yield* checkOptions({ ...options, servers: "srv.invalid" }, undefined)
  const source: SrvSource = {
    name: srv.name,
    lookUp: Effect.flatMap(inTime(srv.name, resolveSrv(srv.name)), toServers)
  }
  if (checked.firstConnection === "background") {
    const settings = { ...checked, servers: { ...checked.servers, chroot: srv.chroot } }
    return { settings, srv: source, isUnknown: true }
  }
  const start = yield* Clock.monotonicTimeNanos
  const servers = yield* firstServers(source, checked.connectTimeout)
  const elapsed = Number((yield* Clock.monotonicTimeNanos) - start) / 1e6
  const left = Math.max(1, checked.connectTimeout - elapsed)
  const settings = { ...checked, connectTimeout: left, servers: { servers, chroot: srv.chroot } }
  return { settings, srv: source, isUnknown: false }
})

/** Looks the servers up until there is a list that may be used. The first failure is logged, and the first one of each minute. */
export const awaitServers = (options: {
  readonly srv: SrvSource
  readonly update: (servers: Servers) => Effect.Effect<void, InvalidArgument>
  readonly logFailure: (line: string) => Effect.Effect<void>
}): Effect.Effect<void> => {
  const { logFailure, srv, update } = options
  let toldAt = Number.NEGATIVE_INFINITY
  const tell = (error: InvalidArgument | TransportError) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (nanos) => {
      const now = Number(nanos) / 1e6
      if (now - toldAt < REFRESH_INTERVAL) return Effect.void
      toldAt = now
      return logFailure(`dns+srv://${srv.name} has named no servers yet: ${error.message}`)
    })
  return srv.lookUp.pipe(
    Effect.flatMap(update),
    Effect.tapError(tell),
    Effect.retry({ schedule: pauses }),
    Effect.orDie
  )
}

/** Looks the servers up again, and replaces the list when it has changed, until the session is over for good. */
export const refreshServers = (options: {
  readonly srv: SrvSource
  readonly current: Servers
  readonly update: (servers: Servers) => Effect.Effect<void, InvalidArgument>
  /** Completes when there is no connection. */
  readonly awaitDisconnect: Effect.Effect<void>
  readonly isFinal: () => boolean
  readonly logFailure: (line: string) => Effect.Effect<void>
}): Effect.Effect<void> => {
  const { awaitDisconnect, isFinal, logFailure, srv, update } = options
  let current = keyOf(options.current)
  let isTold = false
  const refresh = srv.lookUp.pipe(
    Effect.flatMap((servers) => {
      const key = keyOf(servers)
      if (key === current) return Effect.void
      return Effect.map(update(servers), () => {
        current = key
      })
    }),
    Effect.matchEffect({
      onFailure: (error) => {
        if (isTold) return Effect.void
        isTold = true
        return logFailure(`the list of servers stays as it is: ${error.message}`)
      },
      onSuccess: () =>
        Effect.sync(() => {
          isTold = false
        })
    })
  )
  const pause = Effect.raceFirst(
    Effect.sleep(REFRESH_INTERVAL),
    Effect.andThen(awaitDisconnect, Effect.sleep(RETRY_INTERVAL))
  )
  return Effect.asVoid(Effect.repeat(Effect.andThen(pause, refresh), { until: isFinal }))
}

// ---- internal

const inTime = <A>(name: string, lookUp: Effect.Effect<A, TransportError>): Effect.Effect<A, TransportError> =>
  Effect.timeoutOrElse(lookUp, {
    duration: LOOK_UP_TIMEOUT,
    orElse: () => {
      const cause = new Error(`DNS did not answer within ${LOOK_UP_TIMEOUT / 1000} seconds`)
      return Effect.fail(new TransportError({ server: name, reason: "Resolve", cause }))
    }
  })

const toServers = (found: ReadonlyArray<ServerAddress>): Effect.Effect<Servers, TransportError> => {
  const [first, ...others] = found
  // A transport gives one at least, or fails.
  return first === undefined ? Effect.die(new Error("no servers")) : Effect.succeed([first, ...others])
}

const pauses = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("1 second")])

/** The same for the same servers in any order. */
const keyOf = (servers: Servers): string => servers.map(format).toSorted().join(",")

/** Asks until there is an answer, or the time is over. */
const firstServers = ({ lookUp, name }: SrvSource, millis: number): Effect.Effect<Servers, ConnectFailed> => {
  let last: TransportError | undefined
  let count = 0
  const asking = lookUp.pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        last = error
        count++
      })
    ),
    Effect.retry({ schedule: pauses })
  )
  const found = Number.isFinite(millis) ? Effect.timeoutOption(asking, millis) : Effect.asSome(asking)
  return Effect.flatMap(Effect.orDie(found), (servers) => {
    if (Option.isSome(servers)) return Effect.succeed(servers.value)
    const server = `dns+srv://${name}`
    const reason = last?.message ?? "DNS did not answer"
    return new ConnectFailed({ attempts: count === 0 ? [{ server, reason }] : [{ server, reason, count }] })
  })
}
