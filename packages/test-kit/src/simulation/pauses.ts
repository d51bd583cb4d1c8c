/**
 * The pauses of a client that looks for a server: observed where the session takes them, and judged by what
 * `SessionOptions.retry` says about them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { type Observations, type ObservedConnection, SLACK } from "./Observations.ts"

/** Milliseconds. */
const FIRST_PAUSE = 200

/** A connection that lived for less is not worth a new beginning when several such follow one another. Milliseconds. */
const WORTHWHILE = 1000
const MAX_SHORT_LIVED = 3

/** After so many milliseconds the next server is dialled while one is silent. */
const STAGGER = 250

/**
 * The default of `SessionOptions.retry`, which notes each pause that it gives.
 */
export const observedRetry = (
  observations: Observations,
  sessionTimeout: number,
  now: () => number
): Schedule.Schedule<unknown> => {
  const policy = Schedule.min([Schedule.exponential(FIRST_PAUSE), Schedule.spaced(sessionTimeout / 4)]).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.map(Random.next, (random) => Duration.times(duration, random)))
  )
  return Schedule.fromStep(
    Effect.map(Schedule.toStep(policy), (step) => {
      let ordinal = 0
      return (at: number, input: unknown) =>
        Effect.map(step(at, input), (given) => {
          const { connections, retries } = observations
          const millis = Duration.toMillis(given[1])
          retries.push({ at: now(), ordinal: ++ordinal, millis, dialled: connections.length })
          return given
        })
    })
  )
}

/**
 * There is a pause after each round over the servers and none within a round, it is no longer than the schedule gives, and
 * the schedule begins anew with each connection that was worth it, and not without one.
 */
export const judgePauses = (observations: Observations, addViolation: (what: string) => void): void => {
  judgeBeginnings(observations, addViolation)
  judgeRounds(observations, addViolation)
  judgeLengths(observations, addViolation)
}

// ---- internal

type AddViolation = (what: string) => void

/** When the schedule must begin anew, and when it may. */
const judgeBeginnings = (observations: Observations, addViolation: AddViolation): void => {
  const { connections, expiredByServer, retries } = observations
  const worthwhile = worthwhileEnds(observations)
  let last = Number.NEGATIVE_INFINITY
  for (const { at, ordinal } of retries) {
    const isSince = (time: number | undefined) => time !== undefined && time > last && time <= at
    const end = worthwhile.find(isSince)
    if (end !== undefined && ordinal > 1) {
      addViolation(
        `pause ${ordinal} of a row at ${at.toFixed(1)} ms, after a connection that ended at ${end.toFixed(1)} ms`
      )
    }
    const mayBeginAnew =
      last === Number.NEGATIVE_INFINITY ||
      connections.some(({ endedAt, establishedAt }) => establishedAt !== undefined && isSince(endedAt)) ||
      expiredByServer.some(isSince)
    if (ordinal === 1 && !mayBeginAnew) {
      addViolation(`the pauses began anew at ${at.toFixed(1)} ms without a connection since ${last.toFixed(1)} ms`)
    }
    last = at
  }
}

/** When connections ended after which the next pause is the first of a row. */
const worthwhileEnds = (observations: Observations): ReadonlyArray<number> => {
  let shortLived = 0
  return observations.connections.flatMap(({ endedAt, establishedAt }) => {
    if (establishedAt === undefined || endedAt === undefined) return []
    // A process that stood still may have slept through the end of its session: that is no new beginning, and the time that it
    // slept makes no connection a worthwhile one.
    const isExcused = observations.isExcused(establishedAt, endedAt)
    shortLived = endedAt - establishedAt > WORTHWHILE + SLACK && !isExcused ? 0 : shortLived + 1
    return shortLived < MAX_SHORT_LIVED && !isExcused ? [endedAt] : []
  })
}

/** No server is dialled twice without a pause, or a word of a server, in between. */
const judgeRounds = (observations: Observations, addViolation: AddViolation): void => {
  const { connections, expiredByServer, retries } = observations
  const ends = [
    ...retries.map(({ at }) => at),
    // A search may dial one more server just after another has answered. If that is lost at once, the next search begins anew.
    ...connections.flatMap(({ endedAt, establishedAt }) =>
      establishedAt === undefined ? [] : [establishedAt, endedAt ?? establishedAt]
    ),
    ...expiredByServer
  ]
  const lastDialled = new Map<string, number>()
  for (const connection of connections) {
    const { dialledAt, server } = connection
    if (isProbe(connection, connections) || isOvertaken(connection, connections)) continue
    const before = lastDialled.get(server)
    lastDialled.set(server, dialledAt)
    if (before === undefined || ends.some((end) => end >= before && end <= dialledAt)) continue
    // A process that stood still may have slept through the end of its session, which ends a round too.
    if (observations.isExcused(before, dialledAt)) continue
    addViolation(`dialled ${server} at ${before.toFixed(1)} and ${dialledAt.toFixed(1)} ms without a pause in between`)
  }
}

/** Nothing is waited for but the pauses that the schedule gives, and parts of the last one between two servers. */
const judgeLengths = (observations: Observations, addViolation: AddViolation): void => {
  const { connections, retries } = observations
  let lastEnd = Number.NEGATIVE_INFINITY
  connections.forEach((connection, index) => {
    const pauses = retries.filter(({ dialled }) => dialled === index)
    const before = retries.findLast(({ dialled }) => dialled < index)?.millis ?? 0
    let due = lastEnd + before
    for (const { at, millis } of pauses) due = Math.max(due, at) + millis
    const late = connection.dialledAt - due
    if (lastEnd > Number.NEGATIVE_INFINITY && late > SLACK && !observations.isExcused(lastEnd, connection.dialledAt)) {
      const waited = connection.dialledAt - lastEnd
      addViolation(
        `waited ${waited.toFixed(0)} ms at ${lastEnd.toFixed(1)} ms, ${late.toFixed(0)} ms more than the pauses`
      )
    }
    lastEnd = Math.max(lastEnd, connection.endedAt ?? Number.POSITIVE_INFINITY)
  })
}

/** Whether another server had answered already: the search is about to hear that, and drops the attempt. */
const isOvertaken = ({ dialledAt }: ObservedConnection, all: ReadonlyArray<ObservedConnection>): boolean =>
  all.some(
    ({ endedAt, establishedAt }) =>
      establishedAt !== undefined && establishedAt <= dialledAt && (endedAt ?? Number.POSITIVE_INFINITY) > dialledAt
  )

/**
 * Whether it asked about the state of a server, and not for a session. All servers are asked that at once, where a search
 * dials the next one a quarter of a second later while one is silent.
 */
const isProbe = (connection: ObservedConnection, all: ReadonlyArray<ObservedConnection>): boolean =>
  all.some(
    (other) =>
      other !== connection &&
      Math.abs(other.dialledAt - connection.dialledAt) < STAGGER / 2 &&
      (other.endedAt ?? Number.POSITIVE_INFINITY) > connection.dialledAt &&
      (connection.endedAt ?? Number.POSITIVE_INFINITY) > other.dialledAt
  )
