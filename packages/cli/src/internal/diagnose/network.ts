/** The servers of a run one by one, and the way to them. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AdminServer from "../../AdminServer.ts"
import * as FourLetterWords from "../../FourLetterWords.ts"
import type * as MemberStatus from "../../MemberStatus.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import type { Settings } from "../frame/Settings.ts"
import { Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"

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

/**
 * The servers to ask: those of the connect string, and with `discover` those that the ensemble has in its configuration,
 * where that tells their ports for clients.
 */
export const members = Effect.fnUntraced(function* (discover: boolean) {
  const client = yield* Client
  const given = yield* serversOf(client.settings)
  if (!discover) return given
  const zk = yield* client.reader
  const config = yield* zk.getConfig
  const found = config.members.flatMap((member): ReadonlyArray<ServerAddress> => {
    const address = Option.flatMap(member.client, (text) => Option.fromUndefinedOr(addressOf(text, member.addresses)))
    return Option.isNone(address) ? [] : [address.value]
  })
  const scheme = given[0]?.scheme
  return found.length === 0 ? given : found.map(({ host, port }) => ({ host, port, scheme }))
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
 * The same question, and a way to show on a terminal how many of the servers have answered while an effect waits for them:
 * one that hangs takes all of `--within`.
 */
export const showAnswers = Effect.fnUntraced(function* (servers: ReadonlyArray<ServerAddress>, ask: MemberStatus.Ask) {
  const printer = yield* Printer
  let answers = 0
  const count = Effect.sync(() => void answers++)
  // Each server is asked this word once.
  const counted: MemberStatus.Ask = (server, word) => {
    const answer = ask(server, word)
    return word === "srvr" ? Effect.ensuring(answer, count) : answer
  }
  const done = Effect.sync(() => answers)
  return {
    ask: counted,
    showing: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.provideService(
        withCount({ phase: "members", done, total: Effect.succeed(servers.length) }, effect),
        Printer,
        printer
      )
  }
})

/** The time that the flag `--within` gives a member. */
export const withinOf = (within: string) => parseDuration("--within", within)

// ---- internal

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

/** `0.0.0.0:2181` and `2181` are a port alone: the host is that of the member. */
const addressOf = (client: string, addresses: ReadonlyArray<string>): ServerAddress | undefined => {
  const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(client) ?? []
  if (port === undefined) return undefined
  const isAny = host === undefined || host === "" || /^\[?(0\.0\.0\.0|::|0:0:0:0:0:0:0:0)\]?$/.test(host)
  const own = isAny ? /^(.*):\d+:\d+$/.exec(addresses[0] ?? "")?.[1] : host
  return own === undefined ? undefined : { host: own.replace(/^\[|\]$/g, ""), port: Number(port) }
}
