/** Looks at the members, again and again: one that hangs holds up none of the others. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MemberStatus from "../../MemberStatus.ts"

/** A member as it was when it last answered. */
export interface Row {
  readonly member: MemberStatus.MemberStatus
  /** The time of that answer, in milliseconds; undefined before the first one. */
  readonly at: number | undefined
  /** How long the present question has been without an answer, where that is long. */
  readonly waiting: number | undefined
}

/** All members at one time, in milliseconds. */
export interface Sample {
  readonly time: number
  readonly rows: ReadonlyArray<Row>
}

/**
 * Each look asks the members that owe no answer, and waits for a part of the interval, so that members that are well are
 * shown as of one moment. One that has not answered by then keeps its last row, and is not asked a second time meanwhile.
 */
export const makeLooks = (
  servers: () => ReadonlyArray<ServerAddress>,
  ask: MemberStatus.Ask,
  interval: Duration.Duration
) => {
  const known = new Map<string, Known>()
  const patience = Duration.min(Duration.divideUnsafe(interval, 2), longestPatience)

  const question = Effect.fnUntraced(function* (server: ServerAddress, member: Known) {
    const answered = yield* Deferred.make<void>()
    member.since = yield* Clock.currentTimeMillis
    const asking = Effect.gen(function* () {
      const [found] = yield* MemberStatus.askAllBy([server], ask)
      member.answer = found
      member.at = yield* Clock.currentTimeMillis
      member.since = undefined
    })
    yield* Effect.forkScoped(Effect.ensuring(asking, Deferred.succeed(answered, undefined)))
    return Deferred.await(answered)
  })

  return Effect.gen(function* () {
    const names = new Map(servers().map((server) => [format(server), server]))
    for (const name of known.keys()) if (!names.has(name)) known.delete(name)
    const awaited: Array<Effect.Effect<void>> = []
    for (const [name, server] of names) {
      const member = known.get(name) ?? { row: undefined, answer: undefined, at: undefined, since: undefined }
      known.set(name, member)
      if (member.since !== undefined) continue
      const answered = yield* question(server, member)
      // One that did not answer the last time would hold up each picture.
      const lastState = (member.answer ?? member.row)?.state
      if (lastState === undefined || answers.has(lastState)) awaited.push(answered)
    }
    yield* Effect.timeoutOption(Effect.all(awaited, { concurrency: "unbounded" }), patience)
    const fresh = [...known.values()].flatMap((member) => (member.answer === undefined ? [] : [member]))
    const withLag = MemberStatus.withLag(fresh.flatMap(({ answer }) => answer ?? []))
    for (const [index, member] of fresh.entries()) {
      member.row = withLag[index]
      member.answer = undefined
    }
    const time = yield* Clock.currentTimeMillis
    return { time, rows: [...names.keys()].map((name) => rowOf(name, known.get(name), time)) } satisfies Sample
  })
}

// ---- internal

/** The longest that a picture waits for members that are slower than the others. */
const longestPatience = Duration.millis(500)

const answers: ReadonlySet<MemberStatus.MemberStatus["state"]> = new Set(["serving", "idle"])

/** From this time on it is said that an answer is missing. */
const noticeable = 1000

interface Known {
  row: MemberStatus.MemberStatus | undefined
  /** The answer since the last look. */
  answer: MemberStatus.MemberStatus | undefined
  at: number | undefined
  /** When the question was asked that has no answer yet. */
  since: number | undefined
}

const rowOf = (name: string, member: Known | undefined, time: number): Row => {
  const waited = member?.since === undefined ? 0 : time - member.since
  const row = member?.row
  return {
    member: row ?? { server: name, state: "silent" },
    at: row === undefined ? undefined : member?.at,
    // One that is down or silent says so until it answers.
    waiting: row === undefined || (row.state === "serving" && waited >= noticeable) ? waited : undefined
  }
}
