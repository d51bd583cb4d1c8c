/** The last hour of the members of one ensemble. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { EnsembleEvent, EnsembleSample, Member, Members, Series } from "../../EnsembleModels.ts"

export interface History {
  /** Takes a sample every few seconds, until it is interrupted. */
  readonly sample: (members: Effect.Effect<Members>) => Effect.Effect<void>
  /** The hour before, and then each sample. */
  readonly events: Stream.Stream<EnsembleEvent>
}

const interval = "5 seconds"

/** An hour. */
const length = 720

export const makeHistory = Effect.gen(function* (): Effect.fn.Return<History> {
  const samples: Array<EnsembleSample> = []
  const published = yield* PubSub.sliding<EnsembleSample>(4)
  const take = (members: Effect.Effect<Members>) =>
    Effect.gen(function* () {
      const found = yield* members
      const sample = { ...found, time: yield* Clock.currentTimeMillis, members: found.members.map(shorten) }
      samples.push(sample)
      if (samples.length > length) samples.shift()
      yield* PubSub.publish(published, sample)
    })
  return {
    sample: (members) => Effect.asVoid(Effect.repeat(take(members), Schedule.spaced(interval))),
    events: Stream.unwrap(
      Effect.map(PubSub.subscribe(published), (subscription) => {
        const last = samples.at(-1)
        return Stream.concat(
          Stream.fromIterable<EnsembleEvent>([
            { _tag: "history", ...columnsOf(samples) },
            ...(last === undefined ? [] : [{ _tag: "sample" as const, ...last }])
          ]),
          Stream.map(Stream.fromSubscription(subscription), (sample): EnsembleEvent => ({ _tag: "sample", ...sample }))
        )
      })
    )
  }
})

// ---- internal

/** Without what only programs read, such as hundreds of metrics. */
const shorten = (member: Member): Member => {
  const { connections, dataSize, ephemeralCount, incomplete, lag, latency, learners, maxFiles, mode, nodeCount } =
    member
  const { openFiles, outstanding, problem, received, release, role, roundTrip, sent, server, state } = member
  const { syncedFollowers, watchCount, zxid } = member
  const all = {
    ...{
      server,
      state,
      problem,
      incomplete,
      role,
      mode,
      release,
      zxid,
      lag,
      latency,
      connections,
      outstanding,
      received,
      sent
    },
    ...{ nodeCount, watchCount, ephemeralCount, dataSize, openFiles, maxFiles, syncedFollowers, learners, roundTrip }
  }
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return Object.assign({ server, state }, given)
}

const columnsOf = (samples: ReadonlyArray<EnsembleSample>) => {
  const servers = [...new Set(samples.flatMap(({ members }) => members.map(({ server }) => server)))]
  return {
    times: samples.map(({ time }) => time),
    members: servers.map((server): typeof Series.Type => {
      const of = samples.map(({ members }) => members.find((member) => member.server === server))
      const column = (value: (member: Member) => number | undefined) =>
        of.map((member) => (member === undefined ? null : (value(member) ?? null)))
      const rate = (value: (member: Member) => number | undefined) =>
        column(value).map((now, index, all) => {
          const before = all[index - 1] ?? null
          const millis = (samples[index]?.time ?? 0) - (samples[index - 1]?.time ?? 0)
          // A server that was started again counts from 0.
          return now === null || before === null || now < before || millis <= 0
            ? null
            : Math.round(((now - before) / millis) * 10_000) / 10
        })
      return {
        server,
        lag: column(({ lag }) => lag),
        latency: column(({ latency }) => latency?.avg),
        roundTrip: column(({ roundTrip }) => roundTrip),
        connections: column(({ connections }) => connections),
        outstanding: column(({ outstanding }) => outstanding),
        watches: column(({ watchCount }) => watchCount),
        znodes: column(({ nodeCount }) => nodeCount),
        received: rate(({ received }) => received),
        sent: rate(({ sent }) => sent)
      }
    })
  }
}
