/** The members of an ensemble over the last hour, for cards and plots. */
import type { EnsembleEvent, EnsembleSample, Member } from "@effect-zookeeper/console/EnsembleModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import { list } from "./acl.ts"

export const metrics = [
  "latency",
  "roundTrip",
  "outstanding",
  "connections",
  "received",
  "sent",
  "lag",
  "watches",
  "znodes"
] as const

export type Metric = (typeof metrics)[number]

export type Values = Array<number | null>

/** The values of each member, all of the length of `times`. */
export interface History {
  readonly times: Array<number>
  readonly series: Map<string, Record<Metric, Values>>
  latest: EnsembleSample | undefined
}

export const makeHistory = (): History => ({ times: [], series: new Map(), latest: undefined })

const hour = 3_600_000

/** Adds what the server said, and forgets what is older than an hour. */
export const add = (history: History, event: EnsembleEvent): void => {
  if (event._tag === "history") {
    history.times.splice(0, history.times.length, ...event.times)
    history.series.clear()
    for (const member of event.members) {
      const values = emptyValues(0)
      for (const metric of metrics) values[metric] = [...member[metric]]
      history.series.set(member.server, values)
    }
    return
  }
  const before = history.latest
  // The last one of the history comes again, with all of its fields.
  if (history.times.at(-1) === event.time) {
    history.latest = event
    return
  }
  history.times.push(event.time)
  for (const member of event.members) {
    if (!history.series.has(member.server)) history.series.set(member.server, emptyValues(history.times.length - 1))
  }
  for (const [server, values] of history.series) {
    const now = event.members.find((member) => member.server === server)
    const earlier = before?.members.find((member) => member.server === server)
    const seconds = before === undefined ? 0 : (event.time - before.time) / 1000
    for (const metric of metrics) values[metric].push(now === undefined ? null : valueOf(metric, now, earlier, seconds))
  }
  history.latest = event
  const old = history.times.findIndex((time) => time >= event.time - hour)
  if (old > 60) {
    history.times.splice(0, old)
    for (const values of history.series.values()) for (const metric of metrics) values[metric].splice(0, old)
  }
}

/** When a member answered last, as far as the history goes; undefined if it does not go so far. */
export const lastAnswer = ({ series, times }: History, server: string): number | undefined => {
  const answers = series.get(server)?.roundTrip ?? []
  return times[answers.findLastIndex((value) => value !== null)]
}

const emptyValues = (length: number): Record<Metric, Values> => {
  const make = (): Values => Array.from({ length }, () => null)
  return {
    latency: make(),
    roundTrip: make(),
    outstanding: make(),
    connections: make(),
    received: make(),
    sent: make(),
    lag: make(),
    watches: make(),
    znodes: make()
  }
}

const valueOf = (metric: Metric, member: Member, earlier: Member | undefined, seconds: number): number | null => {
  switch (metric) {
    case "latency":
      return member.latency?.avg ?? null
    case "watches":
      return member.watchCount ?? null
    case "znodes":
      return member.nodeCount ?? null
    case "received":
    case "sent": {
      const now = member[metric]
      const then = earlier?.[metric]
      return now === undefined || then === undefined || seconds <= 0 || now < then ? null : (now - then) / seconds
    }
    default:
      return member[metric] ?? null
  }
}

export type Health = "good" | "warn" | "bad"

export interface Assessment {
  readonly health: Health
  readonly word: string
  /** The oddities of a member, as sentences. */
  readonly remarks: ReadonlyArray<string>
}

/** A member that is this many transactions behind catches the eye. */
const behind = 1000

export const assess = (member: Member): Assessment => {
  const problem = member.problem === undefined ? [] : [member.problem]
  switch (member.state) {
    case "unreachable":
      return {
        health: "bad",
        word: "down",
        remarks: problem.length > 0 ? problem : ["No connection can be made to it."]
      }
    case "silent":
      return { health: "bad", word: "silent", remarks: ["It takes connections and does not answer.", ...problem] }
    case "idle":
      return {
        health: "bad",
        word: "not serving",
        remarks: ["It runs, and serves no requests: it may have no quorum.", ...problem]
      }
    case "serving": {
      const remarks = [...problem]
      if (member.mode === "read-only") remarks.push("It has no quorum, and serves reads that may be old.")
      if ((member.lag ?? 0) >= behind)
        remarks.push(`It is ${(member.lag ?? 0).toLocaleString("en")} transactions behind.`)
      if ((member.outstanding ?? 0) > 100)
        remarks.push(`${(member.outstanding ?? 0).toLocaleString("en")} requests wait.`)
      const { maxFiles, openFiles } = member
      if (openFiles !== undefined && maxFiles !== undefined && openFiles > 0.85 * maxFiles) {
        remarks.push(`It has ${openFiles.toLocaleString("en")} of ${maxFiles.toLocaleString("en")} files open.`)
      }
      return { health: remarks.length > 0 ? "warn" : "good", word: member.mode ?? "serving", remarks }
    }
  }
}

/** The whole ensemble in one sentence, of whose members so many vote. */
export const summary = (
  members: ReadonlyArray<Member>,
  voters?: number
): { readonly health: Health; readonly text: string } => {
  const down = members.filter((member) => assess(member).health === "bad")
  const odd = members.filter((member) => assess(member).health === "warn")
  const leader = members.find(({ mode }) => mode === "leader" || mode === "standalone")
  // Members that the configuration does not know by these names may be voters or not.
  const isKnown = voters !== undefined && members.filter(isVoter).length === voters
  const tail =
    leader === undefined
      ? members.length === 1 || !isKnown
        ? "The leader is not among them."
        : "None of them is the leader."
      : leader.mode === "standalone"
        ? "It is a standalone server."
        : `The leader is ${leader.server}.`
  if (down.length > 0) {
    const names = list(down.map(({ server }) => server))
    const more = isKnown ? `${wordsOfQuorum(voters, down.filter(isVoter).length)} ` : ""
    return { health: "bad", text: `${names} ${down.length === 1 ? "does" : "do"} not serve. ${more}${tail}` }
  }
  if (odd.length > 0)
    return {
      health: "warn",
      text: `${list(odd.map(({ server }) => server))} ${odd.length === 1 ? "needs" : "need"} a look. ${tail}`
    }
  return {
    health: "good",
    text: members.length === 1 ? `It serves. ${tail}` : `All ${members.length} members serve. ${tail}`
  }
}

const isVoter = ({ role }: Member): boolean => role === "participant"

const wordsOfQuorum = (voters: number, down: number): string => {
  const left = voters - down - Math.floor(voters / 2) - 1
  if (left > 0) return `${left} more may fail before the quorum is lost.`
  return left === 0 ? "One more, and there is no quorum." : "There is no quorum: nothing can be written."
}

/** Why members that serve tell less than they could, once for all of them. */
export const incompleteness = (members: ReadonlyArray<Member>): string | undefined => {
  const found = members.filter(({ incomplete }) => incomplete !== undefined)
  const [first] = found
  return first === undefined
    ? undefined
    : `${list(found.map(({ server }) => server))} ${found.length === 1 ? "tells" : "tell"} little: ${first.incomplete}`
}

/** The figures on the card of a member, as far as it told them. */
export const figures = (member: Member): ReadonlyArray<readonly [name: string, value: string]> => {
  const rows: Array<readonly [string, string | undefined]> = [
    ["Release", member.release],
    [
      "Latency",
      member.latency === undefined
        ? undefined
        : `${member.latency.avg.toLocaleString("en", { maximumFractionDigits: 1 })} ms, at most ${member.latency.max} ms`
    ],
    ["Round trip", member.roundTrip === undefined ? undefined : `${member.roundTrip.toFixed(1)} ms`],
    [
      "Behind",
      member.lag === undefined ? undefined : member.lag === 0 ? "no" : `${member.lag.toLocaleString("en")} transactions`
    ],
    ["Connections", member.connections?.toLocaleString("en")],
    ["Waiting requests", member.outstanding?.toLocaleString("en")],
    ["Znodes", member.nodeCount?.toLocaleString("en")],
    ["Watches", member.watchCount?.toLocaleString("en")],
    ["Zxid", member.zxid === undefined ? undefined : formatHex(member.zxid)]
  ]
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}
