import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { withLogAnnotations } from "../logAnnotations.ts"
import type { SessionMachine } from "../SessionMachine.ts"

/** Milliseconds that a server has to say what it has seen. */
const PROBE = 1000

/** The share of what is left of the session that a question may take: a server that does not answer costs no session. */
const PROBE_SHARE = 1 / 8

/** Milliseconds between two rounds of such questions. */
const PROBE_AGAIN = 5000

/** Milliseconds between two warnings. */
const WARN_AGAIN = 60_000

/** Milliseconds of nothing but refusals that stand in for a `connectTimeout` without an end. */
const DEFAULT_REFUSAL_TIMEOUT = 15_000

const refusalTimeoutOf = ({ settings }: SessionMachine): number =>
  Number.isFinite(settings.connectTimeout) ? settings.connectTimeout : DEFAULT_REFUSAL_TIMEOUT

/** What a server says of itself. */
type ProbeAnswer = "less" | "enough" | "not serving" | "unknown"

/**
 * Finds out that the ensemble has seen less than this session: at once when every server says so, and otherwise when, for
 * a whole `connectTimeout`, servers did nothing but close at the handshake. It is said, logged at once and each minute,
 * and with `ensembleReset: "accept"` it ends the session.
 */
export class EnsembleBehindDetector {
  private readonly machine: SessionMachine
  private since: number | undefined
  private probedAt = Number.NEGATIVE_INFINITY
  private warnedAt = Number.NEGATIVE_INFINITY
  private newest: bigint | undefined
  /** Whether a server has said that it is something else. */
  private isDoubtful = false
  private allSilent = true

  constructor(machine: SessionMachine) {
    this.machine = machine
  }

  reset(): void {
    this.since = undefined
    this.warnedAt = Number.NEGATIVE_INFINITY
    this.allSilent = true
  }

  /** A try has failed. */
  failed(silent: boolean): void {
    if (!silent) {
      this.since = undefined
      this.allSilent = false
    } else if (this.machine.pipeline.lastZxid !== 0n) this.since ??= this.machine.liveness.now()
  }

  /** A round over all servers has failed: whether a session is to be begun that may see less. */
  roundFailed(): Effect.Effect<boolean> {
    const { allSilent, machine, since } = this
    this.allSilent = true
    if (!allSilent || since === undefined) return Effect.succeed(false)
    return Effect.gen({ self: this }, function* () {
      const now = machine.liveness.now()
      const isBehind = now - this.probedAt >= PROBE_AGAIN && (yield* this.probe(now))
      if (!isBehind && now - since < refusalTimeoutOf(machine) && machine.state.current._tag !== "EnsembleBehind") {
        return false
      }
      machine.state.set({ _tag: "EnsembleBehind" })
      const accepts = machine.settings.ensembleReset === "accept" && !this.isDoubtful
      if (accepts || now - this.warnedAt >= WARN_AGAIN) {
        this.warnedAt = now
        yield* withLogAnnotations(machine, undefined, Effect.logWarning(this.message(accepts)))
      }
      return accepts
    })
  }

  private message(accepts: boolean): string {
    const seen = `0x${this.machine.pipeline.lastZxid.toString(16)}`
    const newest =
      this.newest === undefined ? "" : ` (they have seen 0x${this.newest.toString(16)}, the session ${seen})`
    const what = `the servers have seen less than this session${newest}: they lag, have no quorum, or have lost their data`
    return accepts
      ? `${what}; ensembleReset is "accept": a new session begins, which may read older state`
      : `${what}; trying on. If the data is gone for good, restart this client, or set ensembleReset: "accept"`
  }

  /** Asks all servers what they have seen: whether each of them has seen less. */
  private probe(now: number): Effect.Effect<boolean> {
    this.probedAt = now
    this.newest = undefined
    return Effect.gen({ self: this }, function* () {
      const servers = yield* this.machine.servers.servers
      const answers = yield* Effect.forEach(servers, (server) => this.ask(server), { concurrency: "unbounded" })
      this.isDoubtful = answers.some((answer) => answer === "enough" || answer === "not serving")
      return answers.every((answer) => answer === "less")
    })
  }

  private probeTimeout(): number {
    const { liveness } = this.machine
    return Math.min(PROBE, liveness.timeLeft(liveness.now()) * PROBE_SHARE)
  }

  private ask(server: ServerAddress): Effect.Effect<ProbeAnswer> {
    const { pipeline, transport } = this.machine
    return transport.resolve(server).pipe(
      Effect.flatMap(([address = server]) => FourLetterWord.ask(transport, address, server, "srvr")),
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
