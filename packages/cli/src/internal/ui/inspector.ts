/** What `zk` knows about members, sessions and recipes, for the console. */
import type { Inspector } from "@effect-zookeeper/console/Cluster"
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FourLetterWords from "../../FourLetterWords.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import type { Visited } from "../../TreeWalk.ts"
import { diagnose } from "../diagnose/doctor.ts"
import { serversOf, transportOf } from "../diagnose/network.ts"
import type { Reader } from "../frame/Client.ts"
import type { Settings } from "../frame/Settings.ts"
import { askSessions, type ServerSessions, sessionsOf } from "../look/sessions.ts"
import { Printer } from "../output/Printer.ts"
import { contentions } from "../recipes/contention.ts"
import { groupOf } from "../recipes/groups.ts"
import { readQueue } from "../recipes/queue.ts"
import { membersOf, votersOf } from "./ensembleMembers.ts"

/** A page waits for it. */
const timeout = Duration.seconds(3)

export const makeInspector = Effect.fnUntraced(function* (settings: Settings) {
  const given = yield* serversOf(settings)
  const transport = yield* transportOf(settings)
  const printer = yield* Printer
  let config: EnsembleConfig | undefined
  const servers = () => membersOf(given, config).map(({ address }) => address)
  const ask: MemberStatus.Ask = (server, word) =>
    Effect.provideService(FourLetterWords.ask(server, word, { timeout }), Transport, transport)
  /** One that a server does not allow tells less, and nothing is wrong with the server. */
  const refused = new Set<string>()
  const askNoting: MemberStatus.Ask = (server, word) =>
    Effect.tapError(ask(server, word), (error) =>
      Effect.sync(() => {
        if (error.reason === "NotAllowed") refused.add(format(server))
      })
    )
  const askMembers = Effect.gen(function* () {
    const members = membersOf(given, config)
    refused.clear()
    const roles = new Map(members.map(({ address, role }) => [format(address), role]))
    const statuses = yield* MemberStatus.askAllBy(
      members.map(({ address }) => address),
      askNoting
    )
    const voters = votersOf(config)
    return {
      members: statuses.map(({ problem, ...status }) => {
        const { server, state } = status
        const role = roles.get(server)
        const isIncomplete = state === "serving" && refused.has(server)
        return Object.assign(
          status,
          role === undefined ? {} : { role },
          problem === undefined ? {} : isIncomplete ? { incomplete: problem } : { problem }
        )
      }),
      ...(voters === undefined ? {} : { voters })
    }
  })
  /** Servers name the whole paths. Pages know those inside of the chroot, from there. */
  const inChroot = (whole: string) => {
    const path = ZnodePath.toClient(settings.chroot, whole)
    return path === undefined ? { path: whole, isInside: false } : { path, isInside: true }
  }
  return {
    members: (zk) =>
      zk === undefined || zk.session.state._tag !== "Connected"
        ? askMembers
        : Effect.andThen(
            // Members join and leave while one looks.
            Effect.map(Effect.option(Effect.timeout(zk.getConfig, timeout)), (found) => {
              if (Option.isSome(found)) config = found.value
            }),
            askMembers
          ),
    word: (name, word) =>
      Effect.suspend(() => {
        const server = servers().find((each) => format(each) === name)
        // A page cannot make this process connect to where it likes.
        return server === undefined
          ? Effect.fail({ message: `${name} is no server of this ensemble` })
          : Effect.provideService(FourLetterWords.askText(server, word, { timeout }), Transport, transport)
      }),
    doctor: (zk, { znodes }) =>
      diagnose({
        settings,
        servers: servers(),
        ask,
        timeout,
        tree: { reader: Effect.succeed(zk), path: "/", large: 512 * 1024, many: 10_000, limit: znodes }
      }).pipe(Effect.scoped, Effect.provideService(Printer, printer)),
    sessions: Effect.flatMap(
      Effect.suspend(() => askSessions(settings, servers())),
      ({ answered, failures }) => {
        const problems = failures.map(({ message }) => message)
        return answered.length === 0
          ? Effect.fail({ message: problems.join("; ") })
          : Effect.succeed({
              sessions: sessionsOf(answered),
              problems,
              ephemerals: (session) => ephemeralsOf(answered, session)?.map(inChroot)
            })
      }
    ),
    // A server tells the watches of the connections to itself, and few servers are allowed to.
    watches: Effect.suspend(() =>
      Effect.forEach(servers(), (server) => Effect.result(ask(server, "wchc")), { concurrency: "unbounded" })
    ).pipe(
      Effect.flatMap((answers) => {
        const problems = answers.filter(Result.isFailure).map(({ failure }) => failure.message)
        const told = answers.filter(Result.isSuccess).flatMap(({ success }) => success)
        return problems.length === answers.length
          ? Effect.fail({ message: problems.join("; ") })
          : Effect.succeed({
              problems,
              of: (id) =>
                [...new Set(told.filter(({ session }) => session === id).flatMap(({ paths }) => paths))].map(inChroot)
            })
      })
    ),
    recipes
  } satisfies Inspector
})

// ---- internal

/** Each server has the ephemeral znodes of all sessions; one that lags has fewer. Undefined where none tells any. */
const ephemeralsOf = (answers: ReadonlyArray<ServerSessions>, id: bigint): ReadonlyArray<string> | undefined => {
  const dumps = answers.flatMap(({ dump }) => (dump === undefined ? [] : [dump]))
  if (dumps.length === 0) return undefined
  return dumps
    .flatMap(({ ephemerals }) => ephemerals.filter(({ session }) => session === id))
    .reduce<ReadonlyArray<string>>((most, { paths }) => (paths.length > most.length ? paths : most), [])
}

/** Queues with items, groups, and all that `zk locks` finds. An empty queue or group looks like any other znode. */
const recipes = (zk: Reader, znodes: Stream.Stream<Visited, ReadError>): ReturnType<Inspector["recipes"]> => {
  const queues: Array<string> = []
  const others: Array<Visited> = []
  /** What belongs to a queue that is told by itself: parents come before their children. */
  const parts = new Set<string>()
  const seen = Stream.map(znodes, (znode) => {
    const { path } = znode
    if (isLockingQueue(znode)) {
      queues.push(path)
      for (const name of lockingParts) parts.add(ZnodePath.join(path, name))
    } else if (isQueue(znode)) {
      // Nothing was taken yet, so that only the items are there.
      const queue = ZnodePath.name(path) === "entries" ? (ZnodePath.parent(path) ?? path) : path
      if (!parts.delete(path)) queues.push(queue)
    } else if (znode.children.length > 0) others.push(znode)
    return znode
  })
  const contended = new Set<string>()
  const ofContentions = Stream.map(contentions(zk)(seen), (contention) => {
    contended.add(contention.path)
    return { contention }
  })
  const ofQueues = Stream.suspend(() =>
    Stream.fromIterable(queues).pipe(
      Stream.mapEffect((path) =>
        readQueue(zk, { path, items: 20, taken: undefined }).pipe(
          Effect.map((queue) => [{ queue }]),
          Effect.catchTags({
            NoNode: () => Effect.succeed([]),
            NoAuth: () => Effect.succeed([]),
            Conflict: () => Effect.succeed([])
          })
        )
      ),
      Stream.flattenIterable
    )
  )
  const ofGroups = Stream.suspend(() =>
    Stream.fromIterable(others).pipe(
      // The znodes of other recipes are ephemeral, too.
      Stream.filter(({ path }) => !contended.has(path) && !queues.some((queue) => path.startsWith(`${queue}/`))),
      Stream.mapEffect((znode) => groupOf(zk, znode), { concurrency: 16 }),
      Stream.filter((group) => group !== undefined),
      Stream.map((group) => ({ group }))
    )
  )
  return ofContentions.pipe(Stream.concat(ofQueues), Stream.concat(ofGroups))
}

/** The items of kazoo's LockingQueue, and the locks of those that are being worked on, have the names of items of a queue. */
const lockingParts = ["entries", "taken"]

const isLockingQueue = ({ children }: Visited): boolean => lockingParts.every((name) => children.includes(name))

const isQueue = ({ children, path }: Visited): boolean => {
  if (Layouts.queueEntries(children).length === 0) return false
  // Dead letters and what is taken are told with their queue.
  return !path.endsWith("-dead") && !path.endsWith("-taken")
}
