/**
 * The members of an ensemble side by side: role, version, transactions, load, and the distance of each from the newest.
 *
 * It asks `srvr`, which servers answer unless they are told otherwise, and `mntr` for the rest.
 *
 * @since 0.1.0
 */
import * as EnsembleModels from "@effect-zookeeper/console/EnsembleModels"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import type { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as AdminServer from "./AdminServer.ts"
import * as FourLetterWords from "./FourLetterWords.ts"
import { type Answer, releaseOf, type Word } from "./ServerAnswers.ts"

// A page shows most of these fields of a member. Their order is that of the JSON.
const { mode, problem, release, roundTrip, server, state, ...figures } = EnsembleModels.Member.fields

/**
 * One member. The fields after `problem` are there for members that serve; those of `mntr` only where that is allowed.
 * `silent` is the state of a member that does not answer `srvr`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MemberStatus = Schema.Struct({
  server,
  state,
  problem,
  mode,
  release,
  /** The whole text of the release, with the build. */
  version: Schema.optionalKey(Schema.String),
  ...figures,
  pendingSyncs: Schema.optionalKey(Schema.Finite),
  roundTrip,
  /** All numbers of `mntr`, by its names; without those of canaries of earlier versions, of which there may be very many. */
  metrics: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite))
})

/**
 * One member.
 *
 * @category models
 * @since 0.1.0
 */
export type MemberStatus = typeof MemberStatus.Type

/**
 * Asks all servers at once. It never fails: a member that does not answer has its reason in `problem`.
 *
 * @example
 * ```ts
 * import * as MemberStatus from "@effect-zookeeper/cli/MemberStatus"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Effect from "effect/Effect"
 *
 * const servers = ["zk1", "zk2", "zk3"].map((host) => ({ host, port: 2181 }))
 *
 * const behind = MemberStatus.askAll(servers).pipe(
 *   Effect.map((members) => members.filter(({ lag = Infinity }) => lag > 1000)),
 *   Effect.provide(Transport.layer())
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const askAll = (
  servers: ReadonlyArray<ServerAddress>,
  options: FourLetterWords.Options = {}
): Effect.Effect<ReadonlyArray<MemberStatus>, never, Transport> =>
  askAllBy(servers, (server, word) => FourLetterWords.ask(server, word, options))

/**
 * A way to ask a server something, such as `FourLetterWords.ask`, or `AdminServer.ask` at a port of your own.
 *
 * @category models
 * @since 0.1.0
 */
export type Ask<R = never> = <W extends Word>(server: ServerAddress, word: W) => Effect.Effect<Answer<W>, AskError, R>

/**
 * The errors of a question.
 *
 * @category errors
 * @since 0.1.0
 */
export type AskError = FourLetterWords.FourLetterWordError | TransportError | AdminServer.AdminServerError

/**
 * Asks all servers at once, in a way of your own. It never fails, as {@link askAll}.
 *
 * @example
 * ```ts
 * import * as AdminServer from "@effect-zookeeper/cli/AdminServer"
 * import * as MemberStatus from "@effect-zookeeper/cli/MemberStatus"
 * import * as Effect from "effect/Effect"
 * import * as FetchHttpClient from "effect/http/FetchHttpClient"
 *
 * const servers = ["zk1", "zk2", "zk3"].map((host) => ({ host, port: 2181 }))
 *
 * // For ensembles that allow no words.
 * const members = MemberStatus.askAllBy(servers, ({ host }, word) =>
 *   AdminServer.ask(`http://${host}:8080`, word)
 * ).pipe(Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const askAllBy = <R>(
  servers: ReadonlyArray<ServerAddress>,
  ask: Ask<R>
): Effect.Effect<ReadonlyArray<MemberStatus>, never, R> =>
  Effect.map(
    Effect.forEach(servers, (server) => askOne(server, ask), { concurrency: "unbounded" }),
    withLag
  )

/**
 * The members with `lag`, from the zxid of each. The lag of a standalone server is 0: it is no member of an ensemble.
 *
 * @category conversions
 * @since 0.1.0
 */
export const withLag = (members: ReadonlyArray<MemberStatus>): ReadonlyArray<MemberStatus> => {
  const ofEnsemble = withLagOf(members.filter(({ mode }) => mode !== "standalone")).values()
  return members.map((member) =>
    member.mode === "standalone" ? (withLagOf([member])[0] ?? member) : (ofEnsemble.next().value ?? member)
  )
}

// ---- internal

/** The members of one ensemble. */
const withLagOf = (members: ReadonlyArray<MemberStatus>): ReadonlyArray<MemberStatus> => {
  const zxids = members.flatMap(({ zxid }) => (zxid === undefined ? [] : [zxid]))
  const newest = max(zxids)
  // A leader begins its epoch with a zxid that no transaction has: the followers keep that of the last one.
  const isUnwritten = (newest & 0xffff_ffffn) === 0n
  const written = isUnwritten ? max(zxids.filter((zxid) => epochOf(zxid) < epochOf(newest))) : newest
  return members.map((member) => {
    const { lag, ...rest } = member
    const reference = [newest, written].find(
      (zxid) => member.zxid !== undefined && epochOf(zxid) === epochOf(member.zxid)
    )
    if (member.zxid === undefined || reference === undefined) return lag === undefined ? member : rest
    return Object.assign(rest, { lag: Number(reference - member.zxid) })
  })
}

const epochOf = (zxid: bigint): bigint => zxid >> 32n

const max = (zxids: ReadonlyArray<bigint>): bigint => zxids.reduce((a, b) => (a > b ? a : b), 0n)

const askOne = <R>(server: ServerAddress, ask: Ask<R>): Effect.Effect<MemberStatus, never, R> =>
  Effect.map(
    Effect.all([Effect.timed(Effect.result(ask(server, "srvr"))), Effect.result(ask(server, "mntr"))], {
      concurrency: "unbounded"
    }),
    ([[roundTrip, srvr], mntr]) => statusOf(format(server), roundTrip, srvr, mntr)
  )

const statusOf = (
  server: string,
  roundTrip: Duration.Duration,
  srvr: Result.Result<Answer<"srvr">, AskError>,
  mntr: Result.Result<Answer<"mntr">, AskError>
): MemberStatus => {
  const more = Result.isSuccess(mntr) ? ofMntr(mntr.success) : {}
  if (Result.isFailure(srvr)) {
    const problem = srvr.failure.message
    const { mode } = more
    // Where only `mntr` is allowed, it tells nearly everything.
    if (mode !== undefined) return { server, state: "serving", problem, ...more }
    return { server, state: stateOf(srvr.failure), problem }
  }
  const { connections, latency, mode, nodeCount, outstanding, received, sent, version, zxid } = srvr.success
  return {
    server,
    state: "serving",
    ...(Result.isFailure(mntr) ? { problem: mntr.failure.message } : {}),
    ...more,
    mode,
    ...releaseFields(version),
    zxid,
    latency,
    connections,
    outstanding,
    received,
    sent,
    nodeCount,
    roundTrip: Math.round(Duration.toMillis(roundTrip) * 1000) / 1000
  }
}

const stateOf = (error: AskError): MemberStatus["state"] => {
  if (error.reason === "NotServing") return "idle"
  if (error.reason === "Unreachable") return "unreachable"
  return error.reason === "Open" || error.reason === "Resolve" || error.reason === "Tls" ? "unreachable" : "silent"
}

const ofMntr = ({ metrics, mode, version, ...rest }: Answer<"mntr">): Partial<MemberStatus> => ({
  ...rest,
  metrics: Object.fromEntries(Object.entries(metrics).filter(([name]) => !ofOldCanary.test(name))),
  ...(mode === undefined ? {} : { mode }),
  ...releaseFields(version)
})

/**
 * Earlier canaries wrote `/zk-canary-<uuid>`. A server has 15 metrics for each such name until it is restarted: Prometheus
 * would keep all of them.
 */
const ofOldCanary = /zk-canary-[0-9a-f]{8}-[0-9a-f-]{27}/

const releaseFields = (version: string) => {
  const release = releaseOf(version)
  return { version, ...(release === undefined ? {} : { release }) }
}
