/** What `zk` knows about members, sessions and recipes, for the console. */
import type { Inspector } from "@effect-zookeeper/console/Cluster"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FourLetterWords from "../../FourLetterWords.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import type { Visited } from "../../TreeWalk.ts"
import { diagnose } from "../diagnose/doctor.ts"
import { serversOf, transportOf } from "../diagnose/network.ts"
import type { Reader } from "../frame/Client.ts"
import type { Settings } from "../frame/Settings.ts"
import { askSessions, sessionsOf } from "../look/sessions.ts"
import { Printer } from "../output/Printer.ts"
import { contentions } from "../recipes/contention.ts"
import { groupOf } from "../recipes/groups.ts"
import { readQueue } from "../recipes/queue.ts"

/** A page waits for it. */
const timeout = Duration.seconds(3)

/** The most paths of a session that are shown. */
const shownPaths = 1_000

export const makeInspector = Effect.fnUntraced(function* (settings: Settings) {
  const servers = yield* serversOf(settings)
  const transport = yield* transportOf(settings)
  const printer = yield* Printer
  const ask: MemberStatus.Ask = (server, word) =>
    Effect.provideService(FourLetterWords.ask(server, word, { timeout }), Transport, transport)
  return {
    members: MemberStatus.askAllBy(servers, ask),
    word: (name, word) =>
      Effect.suspend(() => {
        const server = servers.find((each) => format(each) === name)
        // A page cannot make this process connect to where it likes.
        return server === undefined
          ? Effect.fail({ message: `${name} is no server of this ensemble` })
          : Effect.provideService(FourLetterWords.askText(server, word, { timeout }), Transport, transport)
      }),
    doctor: (zk) =>
      diagnose({
        settings,
        servers,
        ask,
        timeout,
        tree: { reader: Effect.succeed(zk), path: "/", large: 512 * 1024, many: 10_000 }
      }).pipe(Effect.scoped, Effect.provideService(Printer, printer)),
    sessions: Effect.map(askSessions(settings), ({ answered }) => sessionsOf(answered)),
    session: (id) =>
      Effect.gen(function* () {
        const { answered } = yield* askSessions(settings)
        const session = sessionsOf(answered).find((each) => each.session === id) ?? { session: id }
        const dumps = answered.flatMap(({ dump }) => (dump === undefined ? [] : [dump]))
        const ephemerals = dumps
          .flatMap((dump) => dump.ephemerals.filter((each) => each.session === id))
          .reduce<ReadonlyArray<string>>((most, { paths }) => (paths.length > most.length ? paths : most), [])
        // A server tells the watches of the connections to itself, and few servers are allowed to.
        const lists = yield* Effect.forEach(servers, (server) => Effect.result(ask(server, "wchc")), {
          concurrency: "unbounded"
        })
        const answers = lists.filter(Result.isSuccess)
        const watches = answers.flatMap(({ success }) => success.filter((each) => each.session === id))
        const watched = [...new Set(watches.flatMap(({ paths }) => paths))]
        return {
          session,
          ...(dumps.length === 0 ? {} : { ephemerals: ephemerals.slice(0, shownPaths) }),
          ...(answers.length === 0 ? {} : { watches: watched.slice(0, shownPaths) }),
          isTruncated: ephemerals.length > shownPaths || watched.length > shownPaths
        }
      }),
    recipes
  } satisfies Inspector
})

// ---- internal

/** Queues with items, groups, and all that `zk locks` finds. An empty queue or group looks like any other znode. */
const recipes = (zk: Reader, znodes: Stream.Stream<Visited, ReadError>): ReturnType<Inspector["recipes"]> => {
  const queues: Array<string> = []
  const others: Array<Visited> = []
  const seen = Stream.map(znodes, (znode) => {
    if (isQueue(znode)) queues.push(znode.path)
    else if (znode.children.length > 0) others.push(znode)
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

const isQueue = ({ children, path }: Visited): boolean => {
  if (Layouts.queueEntries(children).length === 0) return false
  // The items of kazoo's LockingQueue are below its path; dead letters are told with their queue.
  return !path.endsWith("/entries") && !path.endsWith("-dead") && !path.endsWith("-taken")
}
