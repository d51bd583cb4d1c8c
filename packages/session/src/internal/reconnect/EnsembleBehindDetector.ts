import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Contact } from "../connection/handshake.ts"
import type { SessionLog } from "../SessionLog.ts"
import type { Liveness } from "../time/Liveness.ts"

/** Milliseconds in which a server has to say what it has seen. */
const PROBE = 1000

/** The share of the rest of the session that a question may take: a server that does not answer costs no session. */
const PROBE_SHARE = 1 / 8

/** Milliseconds between two rounds of such questions. */
const PROBE_AGAIN = 5000

/** Milliseconds between two warnings. */
const WARN_AGAIN = 60_000

/** Milliseconds of nothing but refusals that count instead of a `connectTimeout` without an end. */
const DEFAULT_REFUSAL_TIMEOUT = 15_000

/** How much a server says it has seen. */
type ProbeAnswer = "less" | "enough" | "not serving" | "unknown"

/** The session that may be ahead of its ensemble. */
export interface AheadSession {
  readonly settings: { readonly connectTimeout: number; readonly ensembleReset: "wait" | "accept" }
  readonly transport: Transport["Service"]
  readonly servers: ServerList
  readonly log: SessionLog
  readonly liveness: Pick<Liveness, "now" | "timeLeft">
  /** The newest transaction that the session has seen. */
  readonly pipeline: { readonly lastZxid: bigint }
  readonly isEnsembleBehind: boolean
  /** Shows applications that the ensemble is behind. */
  readonly fallBehind: () => void
}

/**
 * Finds out that the ensemble has seen less than this session: at once when most servers say so and none contradicts, and
 * otherwise when, for a whole `connectTimeout`, most of them did nothing but close at the handshake. A member that is down
 * says nothing about it: what a session has seen, a majority has stored. The state shows it then, and the log at once and each
 * minute. With `ensembleReset: "accept"` it ends the session, if there is one.
 */
export class EnsembleBehindDetector {
  private readonly session: AheadSession
  private since: number | undefined
  private probedAt = Number.NEGATIVE_INFINITY
  private warnedAt = Number.NEGATIVE_INFINITY
  private newest: bigint | undefined
  /** Whether the answers of servers contradict it. */
  private isDoubtful = false
  /** The servers that closed at the handshake without a word in this round; undefined for none. */
  private closed: Set<string> | undefined
  /** Whether a server has answered something else in this round. */
  private isAnswered = false

  constructor(session: AheadSession) {
    this.session = session
  }

  /** A server has given the session. */
  reset(): void {
    this.since = undefined
    this.warnedAt = Number.NEGATIVE_INFINITY
    this.beginRound()
  }

  private beginRound(): void {
    this.closed = undefined
    this.isAnswered = false
  }

  /** An attempt at a server has failed. */
  failed(server: ServerAddress, contact: Contact): void {
    if (contact === "answered") this.isAnswered = true
    else if (contact === "closed" && this.session.pipeline.lastZxid !== 0n) {
      this.closed = (this.closed ?? new Set<string>()).add(format(server))
      this.since ??= this.session.liveness.now()
    }
  }

  /** A round over all servers has failed. Succeeds with whether a session that may see less is to take its place. */
  roundFailed(): Effect.Effect<boolean> {
    const { session } = this
    return Effect.gen({ self: this }, function* () {
      const isRefused = !this.isAnswered && isMost(this.closed?.size ?? 0, yield* session.servers.size)
      this.beginRound()
      if (!isRefused) this.since = undefined
      const { since } = this
      if (since === undefined) return false
      const now = session.liveness.now()
      const isBehind = now - this.probedAt >= PROBE_AGAIN && (yield* this.probe(now))
      if (!isBehind && now - since < this.refusalTimeout && !session.isEnsembleBehind) {
        return false
      }
      session.fallBehind()
      const accepts = session.settings.ensembleReset === "accept" && !this.isDoubtful
      if (accepts || now - this.warnedAt >= WARN_AGAIN) {
        this.warnedAt = now
        yield* session.log.annotate(undefined, Effect.logWarning(this.message(accepts)))
      }
      return accepts
    })
  }

  private get refusalTimeout(): number {
    const { connectTimeout } = this.session.settings
    return Number.isFinite(connectTimeout) ? connectTimeout : DEFAULT_REFUSAL_TIMEOUT
  }

  private message(accepts: boolean): string {
    const seen = Hex64.format(this.session.pipeline.lastZxid)
    const newest =
      this.newest === undefined ? "" : ` (they have seen ${Hex64.format(this.newest)}, the session ${seen})`
    const what = `the servers have seen less than this session${newest}: they lag, have no quorum, or have lost their data`
    return accepts
      ? `${what}; ensembleReset is "accept": a new session begins, which may read older state`
      : `${what}; trying on. If the data is gone for good, restart this client, or set ensembleReset: "accept"`
  }

  /** Asks all servers what they have seen. Succeeds with whether most of them have seen less, and none contradicts. */
  private probe(now: number): Effect.Effect<boolean> {
    this.probedAt = now
    this.newest = undefined
    return Effect.gen({ self: this }, function* () {
      const servers = yield* this.session.servers.servers
      const answers = yield* Effect.forEach(servers, (server) => this.ask(server), { concurrency: "unbounded" })
      this.isDoubtful = answers.some((answer) => answer === "enough" || answer === "not serving")
      return !this.isDoubtful && isMost(answers.filter((answer) => answer === "less").length, servers.length)
    })
  }

  private probeTimeout(): number {
    const { liveness } = this.session
    return Math.min(PROBE, liveness.timeLeft(liveness.now()) * PROBE_SHARE)
  }

  /** Asks all addresses of a server, for one name may stand for several members. */
  private ask(server: ServerAddress): Effect.Effect<ProbeAnswer> {
    return this.session.transport.resolve(server).pipe(
      Effect.timeoutOption(this.probeTimeout()),
      Effect.flatMap((addresses) =>
        Effect.forEach(
          Option.getOrElse(addresses, () => []),
          (address) => this.askAddress(server, address),
          { concurrency: "unbounded" }
        )
      ),
      Effect.map((answers) => strongest.find((answer) => answers.includes(answer)) ?? "unknown"),
      Effect.catchCause(() => Effect.succeed("unknown" as const))
    )
  }

  private askAddress(server: ServerAddress, address: ServerAddress): Effect.Effect<ProbeAnswer> {
    const { pipeline, transport } = this.session
    return FourLetterWord.ask(transport, address, server, "srvr").pipe(
      Effect.timeoutOption(this.probeTimeout()),
      Effect.map((answer): ProbeAnswer => {
        const text = Option.getOrElse(answer, () => "")
        if (text.includes("not currently serving")) return "not serving"
        const zxid = /^Zxid: 0x([0-9a-fA-F]{1,16})\s*$/m.exec(text)?.[1]
        if (zxid === undefined) return "unknown"
        const seen = BigInt.asIntN(64, BigInt(`0x${zxid}`))
        if (seen >= pipeline.lastZxid) return "enough"
        if (this.newest === undefined || seen > this.newest) this.newest = seen
        return "less"
      }),
      Effect.catchCause(() => Effect.as(Effect.logDebug(`${format(server)}: no answer to srvr`), "unknown" as const))
    )
  }
}

/** What one member says counts before what another says behind the same name: a contradiction first. */
const strongest: ReadonlyArray<ProbeAnswer> = ["enough", "not serving", "less"]

const isMost = (some: number, all: number): boolean => some * 2 > all
