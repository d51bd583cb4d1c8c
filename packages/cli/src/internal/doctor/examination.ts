/** The questions of the doctor to each member, and the form of its findings. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Diagnosis from "../../Diagnosis.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import type { Answer, Word } from "../../ServerAnswers.ts"

export type Finding = typeof Diagnosis.Finding.Type

/** One member, as far as its words are allowed. */
export interface Member {
  readonly server: string
  readonly address: ServerAddress
  readonly status: MemberStatus.MemberStatus
  readonly conf: Answer<"conf"> | undefined
  readonly envi: Answer<"envi"> | undefined
  readonly dirs: Answer<"dirs"> | undefined
  readonly wchs: Answer<"wchs"> | undefined
  readonly dump: Answer<"dump"> | undefined
  /** The session with the most watches, where there are many. */
  readonly watcher: { readonly session: bigint; readonly watches: number } | undefined
  /** The words that the server refuses to answer. */
  readonly refused: ReadonlyArray<Word>
}

/** Asks all members what the checks need. It never fails. */
export const examine = Effect.fnUntraced(function* (
  servers: ReadonlyArray<ServerAddress>,
  ask: MemberStatus.Ask
): Effect.fn.Return<ReadonlyArray<Member>> {
  const statuses = yield* MemberStatus.askAllBy(servers, ask)
  return yield* Effect.forEach(
    servers,
    (address, index) => {
      const status = statuses[index] ?? { server: format(address), state: "unreachable" as const }
      return Effect.map(status.state === "serving" ? askRest(address, ask) : Effect.succeed(nothing), (rest) => ({
        server: status.server,
        address,
        status,
        ...rest,
        refused:
          status.state === "serving" && status.metrics === undefined ? ["mntr" as const, ...rest.refused] : rest.refused
      }))
    },
    { concurrency: "unbounded" }
  )
})

/**
 * The members that cannot be of one ensemble, if there are any: leaders, of which an ensemble has one, and servers that run by
 * themselves, beside others.
 */
export const unrelated = (members: ReadonlyArray<Member>): ReadonlyArray<Member> => {
  const serving = members.filter(({ status }) => status.state === "serving" && status.mode !== undefined)
  const of = (mode: string) => serving.filter(({ status }) => status.mode === mode)
  const [leaders, alone] = [of("leader"), of("standalone")]
  if (leaders.length > 1) return [...leaders, ...alone]
  if (alone.length === 0 || serving.length === 1) return []
  return leaders.length > 0 ? [...leaders, ...alone] : serving
}

/** Members in words: all of them, or their names. */
export const namesOf = (members: ReadonlyArray<{ readonly server: string }>): string =>
  members.map(({ server }) => server).join(", ")

/** Findings that several members share are one, with all their names. */
export const merge = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const byText = new Map<string, Finding>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.severity, finding.check, finding.message, finding.advice])
    const first = byText.get(key)
    byText.set(key, first === undefined ? finding : { ...first, where: `${first.where}, ${finding.where}` })
  }
  return [...byText.values()]
}

// ---- internal

type Rest = Pick<Member, "conf" | "envi" | "dirs" | "wchs" | "dump" | "watcher" | "refused">

const nothing: Rest = {
  conf: undefined,
  envi: undefined,
  dirs: undefined,
  wchs: undefined,
  dump: undefined,
  watcher: undefined,
  refused: []
}

/** The list of all watches is asked for where it is worth it, and where it does not keep the server busy for long. */
const worthAsking = { from: 10_000, to: 300_000 } as const

const askRest = Effect.fnUntraced(function* (address: ServerAddress, ask: MemberStatus.Ask): Effect.fn.Return<Rest> {
  const refused: Array<Word> = []
  const tryAsk = <W extends Word>(word: W) =>
    Effect.map(Effect.result(ask(address, word)), (answer) => {
      if (Result.isSuccess(answer)) return answer.success
      if (answer.failure._tag !== "TransportError") refused.push(word)
      return undefined
    })
  const [conf, envi, dirs, wchs, dump] = yield* Effect.all(
    [tryAsk("conf"), tryAsk("envi"), tryAsk("dirs"), tryAsk("wchs"), tryAsk("dump")],
    { concurrency: "unbounded" }
  )
  const isWorth = wchs !== undefined && wchs.watches >= worthAsking.from && wchs.watches <= worthAsking.to
  const watches = isWorth ? yield* tryAsk("wchc") : undefined
  return { conf, envi, dirs, wchs, dump, watcher: watches && mostOf(watches), refused: refused.toSorted() }
})

const mostOf = (watches: Answer<"wchc">): Member["watcher"] =>
  watches
    .map(({ paths, session }) => ({ session, watches: paths.length }))
    .reduce<Member["watcher"]>(
      (most, each) => (most !== undefined && most.watches >= each.watches ? most : each),
      undefined
    )
