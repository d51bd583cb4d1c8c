/** `zk health`: whether the members are as they should be, for probes. */
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Diagnosis from "../../Diagnosis.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import { NoMemberReached, Unhealthy } from "../frame/errors.ts"
import { tableOf } from "../output/columns.ts"
import { inFlags } from "../output/flagNames.ts"
import { printOne, type Style } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown } from "../output/text.ts"
import { type Checked, checkMember, type MemberHealth } from "./memberHealth.ts"
import { explainUnknown } from "./discovery.ts"
import { findMembers, firstOf, timesOf, transportOf } from "./network.ts"

type Condition = (typeof Diagnosis.Health.Type)["expected"]

export interface Input {
  readonly expect: Condition
  /** Left out: all members, or one for the conditions that only one can meet. */
  readonly need: "all" | "majority" | "any" | undefined
  readonly maxLatency: string | undefined
  readonly path: string
  readonly discover: boolean
  readonly within: string
}

export const health = Effect.fnUntraced(function* (input: Input) {
  const { expect, path } = input
  const { settings } = yield* Client
  const { inTime, limit: inTotal, within } = yield* timesOf(input.within)
  const limit = input.maxLatency === undefined ? undefined : yield* parseDuration("--max-latency", input.maxLatency)
  const { servers, unknown } = yield* inTime(findMembers(input.discover))
  const timeout = yield* within
  const transport = yield* transportOf(settings)
  let answers = 0
  const found = yield* withCount(
    { phase: "members", done: Effect.sync(() => answers), total: Effect.succeed(servers.length) },
    Effect.forEach(
      servers,
      (server) =>
        Effect.tap(checkMember(server, { settings, path, timeout, limit: inTotal }), () =>
          Effect.sync(() => answers++)
        ),
      { concurrency: "unbounded" }
    )
  ).pipe(Effect.provideService(Transport, transport))
  const checked = found.map((one) => withLimit(one, limit))
  const need = input.need ?? (expect === "alive" || expect === "ready" ? "all" : "any")
  // A member that cannot be asked is not as it should be, as far as anybody can tell.
  const total = checked.length + (unknown?.count ?? 0)
  const needed = need === "all" ? total : need === "any" ? 1 : Math.floor(total / 2) + 1
  const good = checked.filter(({ isSlow, member }) => !isSlow && conditions[expect](member))
  const value = {
    healthy: good.length >= needed,
    expected: expect,
    needed,
    members: checked.map(({ member }) => member),
    ...(unknown === undefined ? {} : { notAsked: unknown.count })
  }
  const notAsked = unknown === undefined ? [] : [explainUnknown(unknown)]
  yield* printOne(Diagnosis.Health, value, (_, style) => toText(checked, notAsked, style))
  if (value.healthy) return
  if (!value.members.some(({ alive }) => alive)) {
    return yield* new NoMemberReached({ message: `no member answers: ${firstOf(value.members.map(problemOf))}` })
  }
  const bad = checked.filter((entry) => !good.includes(entry)).map(({ member }) => member)
  const wanted = `expected ${needed} of ${count(total, "member")} to be ${expect}`
  const isOneTooFew = expect === "leader" && needed > 1 && good.length > 0
  const reason = isOneTooFew
    ? "an ensemble has one leader; --need any is for that"
    : firstOf([...bad.map(problemOf), ...notAsked])
  return yield* new Unhealthy({ message: `${wanted}, found ${good.length}: ${reason}` })
})

// ---- internal

const conditions: Readonly<Record<Condition, (member: MemberHealth) => boolean>> = {
  alive: ({ alive }) => alive,
  ready: ({ ready }) => ready,
  leader: ({ leader, ready }) => leader && ready,
  "read-only": ({ readOnly }) => readOnly
}

/** A member that takes longer than the limit for anything says so. */
const withLimit = ({ isSilent, member }: Checked, limit: Duration.Duration | undefined) => {
  const max = limit === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(limit)
  const slow = (["connect", "read", "write", "watch"] as const).filter((step) => (member[step] ?? 0) > max)
  const problems = slow.map((step) => `${step} took ${millis(member[step])}, which is more than --max-latency`)
  return {
    member: { ...member, problems: [...member.problems.map(inFlags), ...problems] },
    isSilent,
    isSlow: slow.length > 0
  }
}

const problemOf = ({ mode, problems: [problem], server }: MemberHealth): string => {
  if (problem === undefined) return `${server} is ${mode ?? "in an unknown mode"}`
  return problem.startsWith(server) ? problem : `${server}: ${problem}`
}

const toText = (members: ReadonlyArray<Checked>, notAsked: ReadonlyArray<string>, style: Style): string => {
  const rows = members.map(({ isSilent, member }) => ({
    server: shown(member.server),
    state: stateOf(member, isSilent),
    mode: member.mode ?? "-",
    connect: millis(member.connect),
    read: millis(member.read),
    write: millis(member.write),
    watch: millis(member.watch)
  }))
  const problems = members.flatMap(({ member: { problems, server } }) =>
    problems.map(
      (problem) => `${style.yellow(shown(problem.startsWith(server) ? problem : `${server}: ${problem}`))}\n`
    )
  )
  const others = notAsked.map((line) => `${style.yellow(shown(line))}\n`)
  return tableOf(columns, byWorth, rows, style.width) + [...problems, ...others].join("")
}

const columns = [
  { name: "server", title: "SERVER" },
  { name: "state", title: "STATE" },
  { name: "mode", title: "MODE" },
  { name: "connect", title: "CONNECT" },
  { name: "read", title: "READ" },
  { name: "write", title: "WRITE" },
  { name: "watch", title: "WATCH" }
] as const

const byWorth = ["server", "state", "mode", "write", "read", "watch", "connect"] as const

/** A member that is not alive has the word of `status` and `top`. */
const stateOf = ({ alive, readOnly, ready }: MemberHealth, isSilent: boolean): string =>
  ready ? "ready" : readOnly ? "read-only" : alive ? "not ready" : isSilent ? "silent" : "down"

const millis = (value: number | undefined): string => (value === undefined ? "-" : `${value.toFixed(1)} ms`)
