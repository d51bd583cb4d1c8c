/**
 * Members of a real ensemble with the timing of ZooKeeper's own configuration (ticks of two seconds, five of them until
 * a silent member is missed), which are cut off from the others while clients still reach them: first a follower, then
 * the leader. Clients on that member own something in each of five recipes, with sessions of 4, 6 and 10 seconds;
 * others, on the majority, wait for it. The history says when each owner had stopped and when its successor began.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as History from "../history/History.ts"
import { type Hold, holdsOf } from "../history/holds.ts"
import * as Recorder from "../history/Recorder.ts"
import * as TemporaryFolder from "../TemporaryFolder.ts"
import * as ZooKeeperEnsemble from "../ZooKeeperEnsemble.ts"
import type { ZooKeeperServer } from "../ZooKeeperServer.ts"
import { Orders, PERMITS } from "./ownersWorker.ts"
import * as WorkerProcess from "./workerProcess.ts"
import { clientOf } from "../conformance/Target.ts"

export interface Options {
  readonly seed: number
  /** How ownership is proved. Default: by a quorum, as for all clients. */
  readonly ownershipProof?: "quorum" | "server" | undefined
}

/** Which member is cut off. */
export type Role = "follower" | "leader"

/** Which members a client on the one that is cut off can reach: that one alone, or all. */
export type Reach = "one" | "all"

/** The fate of something that was owned on the member when it was cut off. */
export interface Succession {
  readonly role: Role
  readonly reach: Reach
  /** Milliseconds. */
  readonly sessionTimeout: number
  readonly recipe: string
  /** Milliseconds from the cut until the guarded effect had stopped; Infinity if it was not lost. */
  readonly stopped: number
  /** Milliseconds from the cut until another owned it; Infinity if none did. */
  readonly succeeded: number
}

export interface Outcome {
  readonly operations: ReadonlyArray<History.Operation>
  readonly successions: ReadonlyArray<Succession>
}

/** Milliseconds: twice, three times and five times a tick. */
const sessionTimeouts = [4000, 6000, 10_000] as const

/** How much is owned on a member when it is cut off. */
export const OWNED = sessionTimeouts.length * 2 * (4 + PERMITS)

/**
 * How long a succession is waited for: sessions without any sign of life end at the latest after 12 seconds, and after
 * a new leader was elected, which the members begin with when they have missed the old one for 10 seconds. An election that
 * fails begins again after a pause, which grows.
 */
const LIMIT = { follower: "30 seconds", leader: "75 seconds" } as const

/** One cut of each role. */
export const run = Effect.fnUntraced(function* ({ ownershipProof = "quorum", seed }: Options) {
  const ensemble = yield* ZooKeeperEnsemble.make({
    links: true,
    tickTime: 2000,
    config: ["initLimit=10", "syncLimit=5"],
    heapMegabytes: 64,
    startTimeout: "90 seconds"
  })
  const folder = yield* TemporaryFolder.make("trial-")
  const operations: Array<History.Operation> = []
  const successions: Array<Succession> = []
  for (const role of ["follower", "leader"] as const) {
    const history = Path.join(folder, role)
    const began = yield* cutOff(ensemble, { role, history, ownershipProof }).pipe(
      Random.withSeed(`${seed} ${role}`),
      Effect.scoped
    )
    const seen = read(history)
    operations.push(...seen)
    successions.push(...successionsIn(seen, role, began))
  }
  return { operations, successions } satisfies Outcome
})

/** How long owners went on and others waited, for people: a line for each kind of cut, reach and session timeout. */
export const summary = (successions: ReadonlyArray<Succession>): string =>
  [
    ...Map.groupBy(
      successions,
      ({ reach, role, sessionTimeout }) =>
        `${role} cut off, ${sessionTimeout} ms, owners reach ${reach === "one" ? "it alone" : "all"}`
    )
  ]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([kind, group]) => {
      const lost = group.filter(wasLost)
      const passedOn = group.filter(hasPassedOn)
      return (
        `${kind}: ${group.length} owned, ${group.length - lost.length} kept; ` +
        `${lost.length} stopped after ${range(lost.map(({ stopped }) => stopped))}; ` +
        `${passedOn.length} another's after ${range(passedOn.map(({ succeeded }) => succeeded))}, ` +
        `${range(passedOn.map(({ stopped, succeeded }) => succeeded - stopped))} later`
      )
    })
    .join("\n")

/** Whether its owner had to stop. */
export const wasLost = ({ stopped }: Succession): boolean => Number.isFinite(stopped)

/** Whether another came to own it. */
export const hasPassedOn = ({ succeeded }: Succession): boolean => Number.isFinite(succeeded)

// ---- internal: a cut

const cutOff = Effect.fnUntraced(function* (
  ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble,
  { history, ownershipProof, role }: Cut
) {
  const groups = sessionTimeouts.flatMap((sessionTimeout) =>
    (["one", "all"] as const).map((reach): Group => ({ role, reach, sessionTimeout }))
  )
  const member = yield* memberOf(ensemble, role)
  const majority = connectStringOf(ensemble.servers.filter((server) => server !== member))
  const owners = (reach: Reach) =>
    groups
      .filter((group) => group.reach === reach)
      .map((group) => ({
        name: `owner${pathOf(group)}`,
        servers: reach === "one" ? member.connectString : ensemble.connectString,
        sessionTimeout: group.sessionTimeout,
        member: member.port,
        paths: [pathOf(group)],
        // Else it might be its own successor, with the session that it goes on with elsewhere.
        again: false,
        ownershipProof
      }))
  const successors = sessionTimeouts.map((sessionTimeout) => ({
    name: `successor-${sessionTimeout}`,
    servers: majority,
    sessionTimeout,
    paths: groups.filter((group) => group.sessionTimeout === sessionTimeout).map(pathOf),
    again: true,
    ownershipProof
  }))
  const [first, second, third] = yield* Effect.all(
    [owners("one"), owners("all"), successors].map((clients) => startWorker({ history, clients })),
    { concurrency: "unbounded" }
  )
  yield* Effect.scoped(
    Effect.gen(function* () {
      const zk = yield* connect(majority)
      yield* Effect.forEach(groups, (group) => offer(zk, `${pathOf(group)}/queue`))
      yield* Effect.all([first!.begin, second!.begin])
      // All items of the allocators among them, as no other client is there yet.
      yield* until("all is owned", () => groups.every((group) => owned(history, group) === 4 + PERMITS + 1))
      yield* third!.begin
      yield* until("others wait", () => isDivided(history, groups))
      for (const group of groups) yield* untilAwaited(zk, pathOf(group))
    })
  )
  // At any time between two proofs.
  yield* Effect.sleep(yield* Random.nextBetween(0, 2500))
  const began = Recorder.monotonic()
  yield* ensemble.isolate(member)
  const isOver = Effect.sync(() => successionsIn(read(history), role, began).every(isDone))
  yield* Effect.repeat(isOver, { until: (over) => over, schedule: Schedule.spaced("200 millis") }).pipe(
    Effect.timeoutOption(LIMIT[role])
  )
  yield* ensemble.rejoin
  yield* Effect.all(
    [first!, second!, third!].map(({ rest }) => rest),
    { concurrency: "unbounded" }
  )
  return began
})

interface Cut {
  readonly role: Role
  readonly history: string
  readonly ownershipProof: "quorum" | "server"
}

/** Owners with the same conditions: they are one client. */
interface Group {
  readonly role: Role
  readonly reach: Reach
  readonly sessionTimeout: number
}

/** Below which an owner and its successor meet. */
const pathOf = ({ reach, role, sessionTimeout }: Group): string => `/${role}-${reach}-${sessionTimeout}`

/** The leader, or one that follows it; again while there is none, as happens on a busy machine by itself. */
const memberOf = Effect.fnUntraced(
  function* (ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble, role: Role) {
    yield* ensemble.awaitQuorum(3)
    if (role === "leader") return yield* ensemble.leader
    const [follower] = yield* Effect.flatMap(ensemble.followers, Random.shuffle)
    return yield* Effect.fromNullishOr(follower)
  },
  Effect.retry({ times: 50, schedule: Schedule.spaced("200 millis") })
)

const connectStringOf = (servers: ReadonlyArray<ZooKeeperServer>): string =>
  servers.map(({ connectString }) => connectString).join(",")

const connect = (servers: string) => clientOf(ZooKeeper.layer({ servers, sessionTimeout: "20 seconds" }))

const offer = (zk: ZooKeeper.Service, path: string) =>
  Effect.flatMap(Queue.make(path), (queue) => queue.offer(new TextEncoder().encode("item"))).pipe(
    Effect.provideService(ZooKeeper.ZooKeeper, zk)
  )

// ---- internal: what the history shows

const read = (history: string): ReadonlyArray<History.Operation> =>
  Fs.existsSync(history) ? History.fromLines(History.decodeLines(Fs.readFileSync(history, "utf8"))) : []

const open = (history: string): ReadonlyArray<Hold> => holdsOf(read(history)).filter(({ to }) => to === Infinity)

const owned = (history: string, group: Group): number =>
  open(history).filter(({ acquire }) => acquire.client === `owner${pathOf(group)}`).length

/** The successors have joined the allocators, and have a part of the items. */
const isDivided = (history: string, groups: ReadonlyArray<Group>): boolean => {
  const holds = open(history)
  return groups.every((group) => {
    const ofGroup = holds.filter(({ acquire }) => acquire.path.startsWith(`${pathOf(group)}/`))
    return ["owner", "successor"].every((who) =>
      ofGroup.some(({ acquire }) => acquire.client.startsWith(who) && acquire.path.includes("/allocator/"))
    )
  })
}

const isOwners = ({ acquire }: Hold): boolean => acquire.client.startsWith("owner")

/** All that was owned on the member when it was cut off, with who owned it next, in the order of both. */
const successionsIn = (
  operations: ReadonlyArray<History.Operation>,
  role: Role,
  began: number
): ReadonlyArray<Succession> => {
  const since = (micros: number) => (micros - began) / 1000
  const lost = new Set(operations.filter(({ f }) => f === "lost").map(({ of }) => of))
  return [...Map.groupBy(holdsOf(operations), ({ acquire }) => acquire.path)].flatMap(([path, holds]) => {
    const [, reach = "", timeout = "", recipe = ""] = /^\/\w+-(\w+)-(\d+)\/(\w+)/.exec(path) ?? []
    const stops = holds
      .filter((hold) => isOwners(hold) && hold.from < began && hold.to > began)
      // Things that were owned until the end of the trial were given back then.
      .map(({ acquire, to }) => (lost.has(acquire.id) ? to : Number.POSITIVE_INFINITY))
    const next = holds.filter((hold) => !isOwners(hold) && hold.from > began).map(({ from }) => from)
    return stops
      .toSorted((a, b) => a - b)
      .map((stop, index): Succession => ({
        role,
        reach: reach === "one" ? "one" : "all",
        sessionTimeout: Number(timeout),
        recipe,
        stopped: since(stop),
        succeeded: Number.isFinite(stop) ? since(next[index] ?? Number.POSITIVE_INFINITY) : stop
      }))
  })
}

/**
 * Owners that reach other members may go on there with their session, and keep what they own or come to own it again: when
 * those have lost it that reach the member alone, whose sessions end at the servers, nothing more is to be seen of them.
 */
const isDone = (succession: Succession): boolean =>
  succession.reach === "all" || (wasLost(succession) && hasPassedOn(succession))

const until = (what: string, condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (done) => done, schedule: Schedule.spaced("100 millis") }).pipe(
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => Effect.die(new Error(`not in 30 seconds: ${what}`)) })
  )

/** All that wait are in each queue. */
const untilAwaited = (zk: ZooKeeper.Service, path: string) => {
  const count = (names: ReadonlyArray<string>) =>
    Effect.map(
      // A container without contenders goes away.
      Effect.forEach(names, (name) =>
        Effect.catchTag(zk.getChildren(`${path}/${name}`), "NoNode", () => Effect.succeed([]))
      ),
      (children) => children.flat().length
    )
  return Effect.all([count(["lock"]), count(["election"]), count(["semaphore/locks", "semaphore/leases"])]).pipe(
    Effect.repeat({
      until: ([lock, election, permits]) => lock === 2 && election === 2 && permits >= 2 * PERMITS,
      schedule: Schedule.spaced("100 millis")
    }),
    Effect.timeout("30 seconds")
  )
}

const range = (values: ReadonlyArray<number>): string =>
  values.length === 0 ? "-" : `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} ms`

// ---- internal: processes

const startWorker = Effect.fnUntraced(function* (orders: typeof Orders.Type) {
  const encoded = yield* Effect.orDie(Schema.encodeEffect(Orders)(orders))
  const { endInput, hear, write } = yield* WorkerProcess.start("a process of owners", "ownersWorker.ts", encoded)
  yield* hear("ready")
  return {
    begin: write("begin"),
    /** Lets it release what it owns, and end. */
    rest: Effect.andThen(endInput, hear("rested")).pipe(Effect.timeoutOption("20 seconds"), Effect.asVoid)
  }
})
