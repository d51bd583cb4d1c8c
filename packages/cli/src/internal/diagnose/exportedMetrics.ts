/** The metrics of the exporter: those of the members, and those of the canaries. */
import type { MemberStatus } from "../../MemberStatus.ts"
import { type Family, metricName, type Sample } from "./prometheus.ts"

const modes = ["standalone", "leader", "follower", "observer", "read-only"] as const

/** The metrics that every release has come first, then the metrics of `mntr` by the names that servers give them. */
export const memberFamilies = (members: ReadonlyArray<MemberStatus>): ReadonlyArray<Family> => {
  const gauge = (name: string, help: string, value: (member: MemberStatus) => number | undefined): Family => ({
    name,
    help,
    type: "gauge",
    samples: members.flatMap((member) => sampleOf({ server: member.server }, value(member)))
  })
  return [
    gauge("zk_member_up", "Whether the member answers, also if it serves no requests.", ({ state }) =>
      Number(state === "serving" || state === "idle")
    ),
    gauge("zk_member_serving", "Whether the member serves requests.", ({ state }) => Number(state === "serving")),
    {
      name: "zk_member_mode",
      help: "1 for the mode of the member, 0 for the others.",
      type: "gauge",
      samples: members.flatMap(({ mode, server }) =>
        mode === undefined
          ? []
          : modes.map((each) => ({ labels: { server, mode: each }, value: Number(each === mode) }))
      )
    },
    {
      name: "zk_member_info",
      help: "The release of the member; always 1.",
      type: "gauge",
      samples: members.flatMap(({ release, server, version = "" }) =>
        release === undefined ? [] : [{ labels: { server, release, version }, value: 1 }]
      )
    },
    gauge("zk_member_epoch", "The epoch of the last transaction: it grows with each election.", ({ zxid }) =>
      zxid === undefined ? undefined : Number(zxid >> 32n)
    ),
    gauge("zk_member_transactions", "The number of the last transaction in its epoch.", ({ zxid }) =>
      zxid === undefined ? undefined : Number(zxid & 0xffff_ffffn)
    ),
    gauge("zk_member_lag", "Transactions behind the newest member; missing in an older epoch.", ({ lag }) => lag),
    gauge("zk_member_round_trip_seconds", "The time until the answer to srvr.", ({ roundTrip }) =>
      roundTrip === undefined ? undefined : roundTrip / 1000
    ),
    ...serverFamilies(members)
  ]
}

/** The results of a canary so far. Times are in milliseconds. */
export interface CanaryTotals {
  readonly server: string
  /** Whether the last probe found reads and writes answered; undefined before the first. */
  ready: boolean | undefined
  readonly operations: Readonly<
    Record<Operation, { count: number; sum: number; last: number | undefined; failures: number }>
  >
}

export type Operation = "connect" | "read" | "write" | "watch"

export const noTotals = (server: string): CanaryTotals => ({
  server,
  ready: undefined,
  operations: { connect: none(), read: none(), write: none(), watch: none() }
})

export const canaryFamilies = (canaries: ReadonlyArray<CanaryTotals>): ReadonlyArray<Family> => {
  const operations = canaries.flatMap(({ operations, server }) =>
    Object.entries(operations).map(([operation, totals]) => ({ labels: { server, operation }, totals }))
  )
  return [
    {
      name: "zk_canary_ready",
      help: "Whether the last probe of the member had its reads and writes answered.",
      type: "gauge",
      samples: canaries.flatMap(({ ready, server }) =>
        sampleOf({ server }, ready === undefined ? undefined : Number(ready))
      )
    },
    {
      name: "zk_canary_duration_seconds",
      help: "The time of the steps of probes that were answered.",
      type: "summary",
      samples: operations.flatMap(({ labels, totals: { count, sum } }) => [
        { suffix: "_sum", labels, value: sum / 1000 },
        { suffix: "_count", labels, value: count }
      ])
    },
    {
      name: "zk_canary_last_duration_seconds",
      help: "The time of the steps of the last probe; missing where there was no answer.",
      type: "gauge",
      samples: operations.flatMap(({ labels, totals: { last } }) =>
        sampleOf(labels, last === undefined ? undefined : last / 1000)
      )
    },
    {
      name: "zk_canary_failures_total",
      help: "The steps of probes that were not answered.",
      type: "counter",
      samples: operations.map(({ labels, totals: { failures } }) => ({ labels, value: failures }))
    }
  ]
}

// ---- internal

const none = () => ({ count: 0, sum: 0, last: undefined, failures: 0 })

const sampleOf = (labels: Readonly<Record<string, string>>, value: number | undefined): ReadonlyArray<Sample> =>
  value === undefined ? [] : [{ labels, value }]

const serverFamilies = (members: ReadonlyArray<MemberStatus>): ReadonlyArray<Family> => {
  const families = new Map<string, Array<Sample>>()
  for (const member of members) {
    const seen = new Set<string>()
    for (const [key, value] of Object.entries(member.metrics ?? summaryOf(member))) {
      const name = metricName(key)
      // Two keys that differ in a character that Prometheus does not take.
      if (seen.has(name)) continue
      seen.add(name)
      const samples = families.get(name) ?? []
      samples.push({ labels: { server: member.server }, value })
      families.set(name, samples)
    }
  }
  return [...families].map(([name, samples]) => ({
    name,
    help: `${name} of mntr.`,
    type: "untyped",
    samples
  }))
}

/** The metrics that `srvr` has as well, by the names of `mntr`, for members that do not answer it. */
const summaryOf = (member: MemberStatus): Readonly<Record<string, number>> => {
  const { connections, latency, nodeCount, outstanding, received, sent } = member
  const all = {
    zk_avg_latency: latency?.avg,
    zk_max_latency: latency?.max,
    zk_min_latency: latency?.min,
    zk_packets_received: received,
    zk_packets_sent: sent,
    zk_num_alive_connections: connections,
    zk_outstanding_requests: outstanding,
    zk_znode_count: nodeCount
  }
  const known: Record<string, number> = {}
  for (const [name, value] of Object.entries(all)) if (value !== undefined) known[name] = value
  return known
}
