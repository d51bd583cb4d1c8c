/** The servers of a run one by one, and the way to them. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as AdminServer from "../../AdminServer.ts"
import * as FourLetterWords from "../../FourLetterWords.ts"
import type * as MemberStatus from "../../MemberStatus.ts"
import { Client } from "../frame/Client.ts"
import { deadline } from "../frame/deadline.ts"
import { parseDuration } from "../frame/durations.ts"
import { UsageError } from "../frame/errors.ts"
import type { Settings } from "../frame/Settings.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { type Discovered, discovered, explainUnknown } from "./discovery.ts"

/** The servers of the connect string, in its order, or those that DNS names. */
export const serversOf = Effect.fnUntraced(function* ({ servers }: Settings) {
  const srv = yield* Effect.fromResult(ConnectString.parseSrv(servers))
  if (srv !== undefined) return yield* lookUp(srv.name)
  const parsed = yield* Effect.fromResult(ConnectString.parse(servers))
  const all: ReadonlyArray<ServerAddress> = parsed.servers
  return all
})

/** The options of the settings for connections by TLS; undefined for plain ones. */
export const tlsOf = ({ tls }: Settings): ZooKeeper.Options["tls"] =>
  tls === undefined ? undefined : TlsOptions.fromFiles(tls)

/** Opens connections by the settings, whose files of certificates are checked first. */
export const transportOf = Effect.fnUntraced(function* (settings: Settings) {
  const tls = tlsOf(settings)
  const transport = yield* Effect.provide(Transport.Transport, Transport.layer(tls === undefined ? {} : { tls }))
  if (transport.check !== undefined) yield* transport.check
  return transport
})

/** The servers to ask: those of the connect string, and with `discover` those that the ensemble has in its configuration. */
export const findMembers = Effect.fnUntraced(function* (discover: boolean) {
  const client = yield* Client
  const given = yield* serversOf(client.settings)
  if (!discover) return { servers: given, unknown: undefined } satisfies Discovered
  const zk = yield* client.reader
  return discovered(yield* zk.getConfig, given)
})

/** The same for a command whose output has no place for members that cannot be asked: a line for people names them. */
export const members = Effect.fnUntraced(function* (discover: boolean) {
  const { note } = yield* Printer
  const { servers, unknown } = yield* findMembers(discover)
  if (unknown !== undefined) yield* note(explainUnknown(unknown))
  return servers
})

/**
 * The members for a command that runs until it is stopped. Where the ensemble or DNS tells them, they are asked for again, so
 * that members that come and go are known within half a minute; `changed` hears of the first ones, and of others.
 */
export const followMembers = Effect.fnUntraced(function* <R>(
  discover: boolean,
  changed: (servers: ReadonlyArray<ServerAddress>) => Effect.Effect<void, never, R>
) {
  const { settings } = yield* Client
  const srv = yield* Effect.fromResult(ConnectString.parseSrv(settings.servers))
  const isFixed = !discover && srv === undefined
  const { note } = yield* Printer
  let told = ""
  const find = Effect.gen(function* () {
    const { servers, unknown } = yield* findMembers(discover)
    const text = unknown === undefined ? "" : explainUnknown(unknown)
    if (text !== told && text !== "") yield* note(text)
    told = text
    return servers
  })
  // A session for each question, so that none expires in between.
  return yield* follow(Effect.scoped(find), isFixed ? undefined : "30 seconds", changed)
})

/** The servers that are found now, and again `every` so often; where none can be found, those that are known stay. */
export const follow = Effect.fnUntraced(function* <E, R, R2>(
  find: Effect.Effect<ReadonlyArray<ServerAddress>, E, R>,
  every: Duration.Input | undefined,
  changed: (servers: ReadonlyArray<ServerAddress>) => Effect.Effect<void, never, R2>
) {
  let known = yield* find
  yield* changed(known)
  const again = Effect.gen(function* () {
    const found = yield* Effect.orElseSucceed(find, () => known)
    if (namesOf(found) === namesOf(known)) return
    known = found
    yield* changed(known)
  })
  if (every !== undefined) yield* Effect.forkScoped(Effect.forever(Effect.delay(again, every)))
  return () => known
})

/** The way to ask a server: by four-letter words, or its AdminServer at this port. */
export const makeAsk = Effect.fnUntraced(function* (adminPort: number | undefined, timeout: Duration.Duration) {
  const { settings } = yield* Client
  if (adminPort !== undefined) {
    // Only this needs a client of HTTP.
    const FetchHttpClient = yield* Effect.promise(() => import("effect/http/FetchHttpClient"))
    const ask: MemberStatus.Ask = ({ host }, word) =>
      Effect.provide(
        AdminServer.ask(`http://${format({ host, port: adminPort })}`, word, { timeout }),
        FetchHttpClient.layer
      )
    return ask
  }
  const transport = yield* transportOf(settings)
  const ask: MemberStatus.Ask = (server, word) =>
    Effect.provideService(FourLetterWords.ask(server, word, { timeout }), Transport.Transport, transport)
  return ask
})

/**
 * Counts answers, and shows on a terminal how many of the servers have given one while an effect waits for all: one that hangs
 * takes all of its time.
 */
export const countAnswers = (total: number) => {
  let answers = 0
  return {
    counted: <A, E, R>(answer: Effect.Effect<A, E, R>) =>
      Effect.ensuring(
        answer,
        Effect.sync(() => void answers++)
      ),
    showing: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      withCount({ phase: "members", done: Effect.sync(() => answers), total: Effect.succeed(total) }, effect)
  }
}

/**
 * The same question, and a way to show on a terminal how many of the servers have answered while an effect waits for them:
 * one that hangs takes all of `--within`.
 */
export const showAnswers = Effect.fnUntraced(function* (servers: ReadonlyArray<ServerAddress>, ask: MemberStatus.Ask) {
  const printer = yield* Printer
  const { counted, showing } = countAnswers(servers.length)
  // Each server is asked this word once.
  const countedAsk: MemberStatus.Ask = (server, word) => {
    const answer = ask(server, word)
    return word === "srvr" ? counted(answer) : answer
  }
  return {
    ask: countedAsk,
    showing: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(showing(effect), Printer, printer)
  }
})

/** The time of the flag `--interval` between two questions to all members, which must not become a burden for them. */
export const intervalOf = (interval: string) =>
  Effect.flatMap(parseDuration("--interval", interval), (duration) =>
    Duration.isLessThan(duration, shortestInterval)
      ? Effect.fail(
          new UsageError({
            message: `--interval ${JSON.stringify(interval)} is too short: all members are asked each time; at least ${Duration.format(shortestInterval)}`
          })
        )
      : Effect.succeed(duration)
  )

/** The time that the flag `--within` gives a member. */
export const withinOf = (within: string) => parseDuration("--within", within)

/**
 * The time of a command that reports about members: `--within` for each of them, but not more than is left of `--timeout`. What
 * is known by then is printed, and the members that have not answered are named.
 */
export const timesOf = Effect.fnUntraced(function* (within: string) {
  const { settings } = yield* Client
  const each = yield* withinOf(within)
  const { timeout } = settings
  const start = yield* Clock.currentTimeMillis
  const left = Effect.map(Clock.currentTimeMillis, (now) => {
    if (timeout === undefined) return undefined
    const elapsed = now - start
    // Some milliseconds for nothing would make odd numbers of messages.
    return elapsed < 100 ? timeout : Duration.millis(Math.max(0, Duration.toMillis(timeout) - elapsed))
  })
  return {
    /** For what comes before the members are asked. */
    inTime: yield* deadline(settings),
    within: Effect.map(left, (rest) => (rest === undefined ? each : Duration.min(each, rest))),
    /** For a part of the report, without which there is still a report. */
    limit: (<A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.flatMap(left, (rest) =>
        rest === undefined ? Effect.asSome(effect) : Effect.timeoutOption(effect, rest)
      )) satisfies Limit
  }
})

/** Gives nothing where the time is over. */
export type Limit = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>

/** The problems of members in one sentence: the first of them, and how many there are beside it. */
export const firstOf = (problems: ReadonlyArray<string>): string =>
  problems.length > 1 ? `${problems[0]}; and ${problems.length - 1} more` : (problems[0] ?? "")

// ---- internal

const shortestInterval = Duration.millis(50)

const namesOf = (servers: ReadonlyArray<ServerAddress>) => servers.map(format).toSorted().join(",")

const lookUp = Effect.fnUntraced(function* (name: string) {
  const { resolveSrv } = yield* Effect.provide(Transport.Transport, Transport.layer())
  const fail = (reason: string) => new TransportError({ server: name, reason: "Resolve", cause: new Error(reason) })
  if (resolveSrv === undefined) return yield* fail("there is no DNS")
  const found = yield* Effect.timeoutOrElse(resolveSrv(name), {
    duration: "5 seconds",
    orElse: () => fail("DNS has not answered within 5 seconds")
  })
  return found.toSorted((a, b) => (format(a) < format(b) ? -1 : 1))
})
