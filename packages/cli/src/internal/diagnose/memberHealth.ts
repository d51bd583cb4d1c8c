/** The health of one member: its words, and a canary. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import type { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Canary from "../../Canary.ts"
import type * as Diagnosis from "../../Diagnosis.ts"
import * as FourLetterWords from "../../FourLetterWords.ts"
import type { Mode } from "../../ServerAnswers.ts"
import { explain } from "../frame/explain.ts"
import type { Settings } from "../frame/Settings.ts"
import { type Limit, tlsOf } from "./network.ts"

export type MemberHealth = typeof Diagnosis.MemberHealth.Type

export interface Options {
  readonly settings: Settings
  /** The znode that the canary reads, and below which it writes. */
  readonly path: string
  readonly timeout: Duration.Duration
  /** Ends the canary with the time of the command. */
  readonly limit?: Limit
}

/** The options of a canary by the settings. */
export const canaryOptions = ({ path, settings, timeout }: Options): Canary.Options => {
  const tls = tlsOf(settings)
  return {
    path,
    timeout,
    auth: settings.auth,
    sasl: settings.sasl,
    writes: settings.readOnly === undefined,
    ...(settings.chroot === "" ? {} : { chroot: settings.chroot }),
    ...(tls === undefined ? {} : { tls })
  }
}

export interface Checked {
  readonly member: MemberHealth
  /** Whether it was reached, and does not answer. */
  readonly isSilent: boolean
}

/** A word, and then a session with a probe, each within the timeout. It never fails. */
export const checkMember = (server: ServerAddress, options: Options): Effect.Effect<Checked, never, Transport> =>
  Effect.gen(function* () {
    const words = yield* askWords(server, options.timeout)
    // A session would be waited for in vain.
    const canary = words.isOver ? noCanary : yield* runCanary(server, options)
    const member = healthOf(format(server), words, canary)
    return { member, isSilent: !member.alive && words.isReached }
  })

// ---- internal

/** The result of the words. */
interface Words {
  readonly alive: boolean
  readonly isReached: boolean
  /** Whether nothing more can be asked. */
  readonly isOver: boolean
  readonly mode: Mode | undefined
  readonly problem: string | undefined
}

const askWords = Effect.fnUntraced(function* (
  server: ServerAddress,
  timeout: Duration.Duration
): Effect.fn.Return<Words, never, Transport> {
  const answer = yield* Effect.result(FourLetterWords.ask(server, "srvr", { timeout }))
  if (Result.isSuccess(answer)) {
    return { alive: true, isReached: true, isOver: false, mode: answer.success.mode, problem: undefined }
  }
  const { failure } = answer
  const isReached = failure._tag === "FourLetterWordError" || !neverOpen.has(failure.reason)
  return { alive: isAnswer(failure), isReached, isOver: isOver(failure), mode: undefined, problem: failure.message }
})

/** A session and a probe of it, or why there is none. */
type CanaryRun =
  | { readonly connect: number; readonly probe: Canary.Probe }
  | { readonly connect: undefined; readonly problem: string }

const runCanary = (server: ServerAddress, options: Options): Effect.Effect<CanaryRun> => {
  const limit: Limit = options.limit ?? Effect.asSome
  const run = Effect.gen(function* () {
    const [elapsed, canary] = yield* Effect.timed(Canary.make(server, canaryOptions(options)))
    return { connect: Math.round(Duration.toMillis(elapsed) * 1000) / 1000, probe: yield* canary.probe }
  }).pipe(
    Effect.scoped,
    // It is the only server, and all of its reasons are about it.
    Effect.catch((error) =>
      Effect.succeed({
        connect: undefined,
        problem: error._tag === "ConnectFailed" && error.summary !== "" ? error.summary : explain(error)
      })
    )
  )
  return Effect.map(limit(run), (found) => Option.getOrElse(found, () => outOfTime))
}

const outOfTime: CanaryRun = { connect: undefined, problem: "its session and the probe were not done within --timeout" }

const noCanary: CanaryRun = { connect: undefined, problem: "" }

const healthOf = (server: string, words: Words, canary: CanaryRun): MemberHealth => {
  const { mode } = words
  const base = { server, ...(mode === undefined ? {} : { mode }) }
  const isLeader = mode === "leader" || mode === "standalone"
  if (canary.connect === undefined) {
    // The words have the better reason, as far as they have one.
    const problem = words.problem ?? canary.problem
    const readOnly = mode === "read-only"
    const problems = readOnly ? [withoutQuorum, problem] : [problem]
    return { ...base, alive: words.alive, ready: false, leader: isLeader, readOnly, problems }
  }
  const { connect, probe } = canary
  const { problems, read, readOnly, watch, write } = probe
  return {
    ...base,
    alive: true,
    // Where writes are not asked for, a read that is no read-only mode is all that can be told.
    ready: read !== undefined && !readOnly && (write !== undefined || problems.length === 0),
    leader: isLeader,
    readOnly,
    connect,
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    ...(watch === undefined ? {} : { watch }),
    problems: readOnly ? [withoutQuorum, ...problems] : problems
  }
}

const withoutQuorum = "it serves reads alone, without a quorum"

/** A refusal is an answer of a process that is there. */
const isAnswer = (error: FourLetterWords.FourLetterWordError | TransportError): boolean =>
  error._tag === "FourLetterWordError" && (error.reason === "NotAllowed" || error.reason === "NotServing")

const isOver = (error: FourLetterWords.FourLetterWordError | TransportError): boolean =>
  error._tag === "FourLetterWordError"
    ? error.reason === "NotServing" || error.reason === "Timeout" || error.reason === "Foreign"
    : neverOpen.has(error.reason)

/** The reasons of connections that were never there. */
const neverOpen: ReadonlySet<TransportError["reason"]> = new Set(["Open", "Resolve", "Tls"] as const)
