/** Judges what a simulated run shows of its clients, by the numbers of the properties in the tests. */
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import { checkRegisters } from "../history/check.ts"
import { fromLines, type Operation } from "../history/History.ts"
import { checkSessions } from "../history/sessions.ts"
import * as Verdict from "../history/Verdict.ts"
import { checkWatches } from "../history/watches.ts"
import { type Observations, type RunRecord, SLACK } from "./Observations.ts"
import { judgePauses } from "./pauses.ts"

/**
 * P4 and P5: the states are those that a session may go through, `Disconnected` and `Expired` come when they are due and
 * not before, and each session expires once at most. And the pauses between attempts are those of the policy.
 */
export const judgeClient = (observations: Observations, end: number): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const addViolation = (what: string) => violations.push(`${observations.client}: ${what}`)
  judgeTransitions(observations, addViolation)
  judgeSilences(observations, Math.min(end, observations.closedBy), addViolation)
  judgeExpiries(observations, addViolation)
  judgePauses(observations, addViolation)
  return violations
}

/**
 * P6: the registers are linearizable, by the rules of the checker for all histories, and no client goes back in time.
 */
export const judgeWrites = (record: RunRecord): ReadonlyArray<string> => {
  const operations = fromLines(record.lines)
  const { undecided, violations } = Verdict.join([checkRegisters(operations), checkSessions(operations)])
  return [...violations, ...undecided].map((found) => `P6: ${found}`)
}

/**
 * P7: every watch fires, before anything newer is seen, and the streams of data end at the newest: to be asked when all
 * have come to rest.
 */
export const judgeWatches = (record: RunRecord, clients: ReadonlyArray<Observations>): ReadonlyArray<string> => {
  const operations = [...fromLines(record.lines), ...clients.flatMap(pausesOf)]
  // It has fired already, but for the turn of the fiber that waits for it: a few milliseconds among many fibers.
  return checkWatches(operations, { tolerance: 5000 }).violations.map((found) => `P7: ${found}`)
}

// ---- internal

/** The pauses of a client as operations of the history. */
const pausesOf = ({ client, pauses }: Observations): ReadonlyArray<Operation> =>
  pauses.map(({ from, to }, index) => ({
    id: `${client}.pause.${index}`,
    f: "pause",
    path: "",
    client,
    session: client,
    invokedAt: from * 1000,
    completedAt: to * 1000,
    outcome: "ok"
  }))

type AddViolation = (what: string) => void

const after: { readonly [State in SessionState["_tag"]]: ReadonlyArray<SessionState["_tag"]> } = {
  Connecting: ["Connected", "AuthFailed", "Closed"],
  Connected: ["Disconnected", "AuthFailed", "Closed"],
  Disconnected: ["Connected", "EnsembleBehind", "Expired", "Closed"],
  EnsembleBehind: ["Connected", "Expired", "Closed"],
  Expired: ["Connecting", "Closed"],
  AuthFailed: [],
  Closed: []
}

const judgeTransitions = (observations: Observations, addViolation: AddViolation): void => {
  let last: SessionState["_tag"] | undefined
  for (const { at, state } of observations.states) {
    if (last !== undefined && !after[last].includes(state._tag)) {
      addViolation(`P4: ${state._tag} follows ${last} at ${at.toFixed(1)} ms`)
    }
    last = state._tag
  }
}

/** The events that must follow when nothing is heard for two thirds and for four thirds of the timeout. */
const judgeSilences = (observations: Observations, end: number, addViolation: AddViolation): void => {
  const { heard, sessions, states } = observations
  const has = (tag: SessionState["_tag"], from: number, to: number) =>
    states.some(({ at, state }) => state._tag === tag && at >= from && at <= to)
  for (let i = 0; i < heard.length; i++) {
    const from = heard[i]!
    const to = heard[i + 1] ?? end
    const timeout = sessions.findLast(({ at }) => at <= from)?.timeout ?? 0
    const isConnected = states.findLast(({ at }) => at <= from)?.state._tag === "Connected"
    const lossDue = from + (timeout * 2) / 3 + SLACK
    if (isConnected && to > lossDue && !observations.isExcused(from, lossDue) && !has("Disconnected", from, lossDue)) {
      addViolation(
        `P5: nothing was heard after ${from.toFixed(1)} ms, and no Disconnected came by ${lossDue.toFixed(1)} ms`
      )
    }
    const expiryDue = from + (timeout * 4) / 3 + SLACK
    if (to > expiryDue && !observations.isExcused(from, expiryDue) && !has("Expired", from, expiryDue)) {
      addViolation(
        `P5: nothing was heard after ${from.toFixed(1)} ms, and no Expired came by ${expiryDue.toFixed(1)} ms`
      )
    }
  }
}

/** Each session expires once at most, and not before its time unless a server says so. */
const judgeExpiries = (observations: Observations, addViolation: AddViolation): void => {
  const { expiredByServer, heard, sessions, states } = observations
  let last = Number.NEGATIVE_INFINITY
  for (const { at, state } of states) {
    if (state._tag !== "Expired") continue
    const granted = sessions.findLast((session) => session.at <= at)
    if (granted === undefined || granted.at < last) {
      addViolation(`P4: Expired at ${at.toFixed(1)} ms without a session since the last one`)
      continue
    }
    last = at
    const saidSo = expiredByServer.some((said) => said > granted.at - SLACK && said <= at)
    // An answer to the handshake in the very moment of the end may be unread: the one before it counts.
    const since = heard.findLast((heardAt) => heardAt <= at - SLACK) ?? 0
    if (!saidSo && at - since < (granted.timeout * 4) / 3 - SLACK && !observations.isExcused(since, at)) {
      addViolation(`P5: Expired at ${at.toFixed(1)} ms, where a server had spoken at ${since.toFixed(1)} ms`)
    }
  }
}
